//! What a name says about the value assigned to it: the last word that matters decides, in any case, script and order of
//! `dbPasswordProd`, `DB_PASSWORD_PROD`, `db.password.prod`.

use bstr::ByteSlice as _;

use crate::values::{PartList, WordList, contains};

/// How a name says "secret".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A password: a person may have chosen the value, it need not look random.
    Password,
    /// A short name of a password that other things have too (`pass`, `pw`): words alone do not count.
    Abbreviation,
    /// A token or key: a machine made the value. It looks random, or it is none.
    Token,
    /// A name that mentions passwords and may be about something else: only a random value counts.
    Mention,
}

/// Last words of names of passwords, without separators. The languages are those of the configuration that people write.
static PASSWORDS: WordList = WordList::new(
    "\
    password passwords passwd passwds passphrase passphrases passcode pwd pass pw psk pincode authpass \
    requirepass masterauth ldappw bindpw rootpw userpw adminpw dbpw storepass keypass keystorepass userpass \
    dbpass rootpass adminpass sshpass pgpass mypass passwort kennwort passe motdepasse contrasena contraseña \
    clave senha parola wachtwoord haslo hasło heslo lösenord losenord passord adgangskode salasana jelszo jelszó \
    sifre şifre parole geslo lozinka пароль лозинка 密码 密碼 口令 パスワード 暗証番号 비밀번호 암호",
);

/// Those of them that mean other things too.
static ABBREVIATIONS: WordList = WordList::new("pass pw psk passe clave parola parole sifre pincode geslo haslo");

/// Words for a password that a preposition may follow: `senha_do_banco`, `contrasena-de-la-base`, `motDePasseDuServeur`.
static BEFORE_PREPOSITION: WordList =
    WordList::new("senha contrasena contraseña clave palavra passe parola password wachtwoord mdp");

/// What stands between such a word and what the password is for.
static PREPOSITIONS: WordList = WordList::new("do da dos das de del du des di della dello dei van voor para per pour");

/// Words before `pass` that make it something that is done or passed on: `proxy_pass`, `firstPass`.
static PASSES: WordList = WordList::new(
    "\
    first second third two one single multi final next last fast slow render shader scan filter proxy fastcgi uwsgi scgi \
    grpc memcached low high band by test tests should must all cod oct",
);

/// Last words of names of tokens and keys.
static TOKENS: WordList = WordList::new(
    "\
    secret secrets token tokens credential credentials cred creds apikey apikeys auth authkey tskey geheimnis \
    jeton токен секрет 秘密 令牌 密钥",
);

/// Words at the end of a name that say where, when or in which form, not what.
static SCOPES: WordList = WordList::new(
    "\
    prod production prd staging stage stg dev development test testing qa uat live sandbox local preprod int \
    integration demo old new current previous prev next primary secondary backup master main default global \
    internal external eu us ap uk de fr asia emea apac west east north south central ro rw readonly readwrite \
    base64 b64 hex raw plain plaintext cleartext value val literal material pem again unencrypted decrypted \
    override rotated temp tmp active",
);

/// Words at the front of a name that make it a setting about passwords.
static VERBS: WordList = WordList::new(
    "\
    allow can change check disable enable enabled expire force forgot generate has hide ignore is lost need \
    needs no prompt request require required requires reset rotate save show skip store update use uses validate \
    verify without",
);

/// Words before `key` that make it a key that is no secret.
static OPEN_KEYS: WordList = WordList::new(
    "\
    a access_log annotation any array attribute bucket by cache column composite config context data dict each \
    entry env field file foreign form get group has hash header host id index is item job json label lang list \
    lock log lookup map message meta metric node object on option order pair param parent partition path pk pod \
    press primary property public query record redis registry resource root route row s3 search section set \
    setting shard shift site sort sorting state status string tag text the this topology trace translation type \
    unique url user value verification verify verifying wrapped",
);

/// Words before `key` that make it one for certain.
static SECRET_KEYS: WordList = WordList::new(
    "\
    access account admin api app application auth client cookie deploy encryption function functions hmac ingest \
    integration jwt license master private secret server service session shared signing ssh storage subscription \
    token unseal webhook",
);

/// Words that, at the end of a name, make it be about a secret instead of being one.
static ABOUT: WordList = WordList::new(
    "\
    account accounts action age alg algorithm always annotation annotations arn at atime attribute attributes \
    audience autocomplete backend budget buffer button bytes cache callback change changed checker checksum \
    claim claims class client cmd column command config confirmation context controller cost count counter \
    counters created ctime data date deployment desc description dialog digest dir disabled doc docs domain \
    driver duration email enabled encoder encoding encryption endpoint entries env err error errors event events \
    exists expiration expired expires expiresin expiry extractor factor factory field fields file filename files \
    fingerprint fingerprints flow fn folder form format func generator get grant group handler hash hashed \
    hashes header headers help helper hidden hide hint host icon id identifier ids image impl index info \
    informer input interface interval invalid issuer iterations job key_name keyname kid kind label labels \
    len length limit limits link list lister location manager managers map max md5 message metadata method min \
    mode module mount msg mtime name names namespace namespaces operator optional options opts order output \
    owner package page pairs param params parser path paths patten pattern placeholder plugin pod policies \
    policy port prefix project property provided provider ptr pub public reader ref reference refs regex regexp \
    request requests required reset resolver resource response review reviews revision role rotate rotation \
    rounds rule rules salt schema scope scopes screen selector service set sha sha1 sha256 sha512 show size \
    source spec src state status stdin storage store stream strength string_data suffix sum table tag tags \
    template tests text thumbprint time timeout timestamp title tooltip total ttl type types uid updated uri url \
    urls usage usages used user username util utils valid validator var variable vars version view visible \
    volume volumes webhooks writer",
);

/// Parts anywhere in a name that make it something else.
static OTHER: PartList = PartList::new(
    "\
    _md5 authorized_keys authorizedkeys known_hosts authorized_keys authorizedkeys bcrypt bypass cache_key cachekey compass continue_token continuetoken csrf dedup donkey encrypted \
    existing_secret existingsecret foreign_key foreignkey hash_key hashed hockey hotkey i18n idempotency jockey \
    keyboard keycloak_url keyless keyword locale max_token maxtoken mintoken monkey next_token nextpagetoken \
    nexttoken page_token pagetoken partition_key partitionkey pass-through pass_through passthrough password-key \
    password_key passwordkey primary_key primarykey protobuf public-key public_key public_token publickey \
    publickeytoken publishable publishablekey resumetoken sealed secret_key_ref secret_name secretary \
    secretkeyref secretname secretref sha256 sha512 shortcut sign_key_id signkey site-key site_key sitekey \
    sort_key sortkey ssh_pub sshpub synctoken token_key tokenize tokenizer tokenkey tokens_per translation \
    turkey usernamekey whiskey xsrf",
);

/// What a name says; `None` if it does not say "secret".
pub fn kind(name: &[u8]) -> Option<Kind> {
    let lower = name.to_lowercase();
    // `IDENTIFIED BY`, and `IDENTIFIED WITH sha256_password BY`.
    let plugin =
        ["sha256_password", "caching_sha2_password", "mysql_native_password"].iter().any(|p| lower == p.as_bytes());
    if plugin || lower.ends_with_str("identified by") {
        return Some(Kind::Password);
    }
    if OTHER.is_in(name) {
        return None;
    }
    let words = words(name);
    let named = words.len() - words.iter().rev().take_while(|w| is_scope(w)).count();
    // A name that consists of scopes only is about one.
    let words = &words[..named];
    let (last, before) = match words {
        [] => return None,
        [last] => (last.as_slice(), &b""[..]),
        [.., before, last] => (last.as_slice(), before.as_slice()),
    };
    if ABOUT.has(last) {
        return None;
    }
    let first = words.windows(2).position(|pair| BEFORE_PREPOSITION.has(&pair[0]) && PREPOSITIONS.has(&pair[1]));
    if first.is_some_and(|at| at + 2 < words.len()) {
        return Some(Kind::Password);
    }
    if last == b"pass" && PASSES.has(before) {
        return None;
    }
    let verb = words.len() > 1 && VERBS.has(&words[0]);
    if PASSWORDS.has(last) || ends_as_password(last) {
        return Some(match verb {
            true => Kind::Mention,
            false if ABBREVIATIONS.has(last) => Kind::Abbreviation,
            false => Kind::Password,
        });
    }
    if TOKENS.has(last) || ["token", "secret", "apikey", "credential"].iter().any(|t| last.ends_with_str(t)) {
        return Some(Kind::Token);
    }
    if last.ends_with(b"key") || last.ends_with(b"keys") {
        let stem = last.trim_end_with(|c| c == 's').strip_suffix(b"key").unwrap_or_default();
        let before = if stem.is_empty() { before } else { stem };
        if before.is_empty() && stem.is_empty() && named_of(name, "material") {
            return Some(Kind::Token);
        }
        return (SECRET_KEYS.has(before) || !before.is_empty() && !OPEN_KEYS.has(before)).then_some(Kind::Token);
    }
    // The last part of a dotted name alone says what it is.
    let part = lower.rsplit(|b| *b == b'.').next().unwrap_or_default();
    if verb {
        return None;
    }
    if ["passw", "passphrase", "pwd"].iter().any(|p| contains(part, p)) {
        return Some(Kind::Mention);
    }
    ["secret", "token", "credential", "apikey", "auth"].iter().any(|p| contains(part, p)).then_some(Kind::Token)
}

/// Whether a name ends with this word.
fn named_of(name: &[u8], word: &str) -> bool {
    words(name).last().is_some_and(|last| last == word.as_bytes())
}

/// `dbpassword`, `rootpasswd`, `pgpwd`.
fn ends_as_password(word: &[u8]) -> bool {
    ["password", "passwords", "passwd", "passphrase", "passwort", "pwd"].iter().any(|end| word.ends_with_str(end))
}

/// `prod`, `eu1`, `v2`, `3`.
fn is_scope(word: &[u8]) -> bool {
    let stem = &word[..word.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1)];
    stem.is_empty() || stem == b"v" || SCOPES.has(stem) || SCOPES.has(word)
}

/// The words of a name, in lower case: parted by separators, and before capitals that follow small letters.
pub(super) fn words(name: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for part in name.split(|b| b.is_ascii() && !b.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        let mut start = 0;
        for at in 1..part.len() {
            let ends = part[at - 1].is_ascii_lowercase() && part[at].is_ascii_uppercase();
            // `APIKey`: the last capital belongs to the next word.
            let acronym = at + 1 < part.len()
                && part[at - 1].is_ascii_uppercase()
                && part[at].is_ascii_uppercase()
                && part[at + 1].is_ascii_lowercase();
            if ends || acronym {
                words.push(part[start..at].to_lowercase());
                start = at;
            }
        }
        words.push(part[start..].to_lowercase());
    }
    words
}

/// Whether a name is that of several secrets, or of a map of them: `passwords`, `api_tokens`, `secretEnv`.
pub fn is_collection(name: &[u8]) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let plural = ["passwords", "secrets", "tokens", "credentials", "creds", "keys", "apikeys", "passphrases"];
    let map = matches!(last.as_slice(), b"env" | b"envs" | b"vars" | b"data" | b"config" | b"values" | b"map")
        && words.len() > 1
        && words[words.len() - 2].starts_with(b"secret");
    map || plural.iter().any(|p| last == p.as_bytes()) && kind(name).is_some()
}
