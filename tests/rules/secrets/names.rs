//! Names of secrets in many words, languages and positions, and values below their names.

use bstr::BStr;
use portcullis::finding::Confidence;
use portcullis::rules::secrets::built_in;

/// A value that a machine drew.
const DRAWN: &str = concat!("Zq8vT2nLw5x", "R7yKp3mB6c");

/// What is refused of a text, in order.
fn refused(path: &str, text: &str) -> Vec<String> {
    let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
    let sure = hits.iter().filter(|hit| hit.confidence > Confidence::Low);
    sure.map(|hit| text[hit.secret.clone()].to_owned()).collect()
}

#[test]
fn names_say_secret_in_any_case_scope_and_language() {
    let names = "\
        password DB_PASSWORD dbPasswordProd db.password.prod API_KEY_PROD SIGNING_KEY_V2 ENCRYPTION_KEY_OLD DD_API_KEY_EU \
        db_key_primary JWT_KEY_CURRENT DB_PW rootpw bindpw PSK wifi_psk cred creds storepass keypass requirepass passcode \
        passphrase tokenBase64 key_material privateKeyPem unsealKey x-functions-key passwort kennwort senha contraseña \
        contrasena mot_de_passe motdepasse parola haslo hasło heslo wachtwoord lösenord salasana пароль Пароль лозинка 密码 \
        パスワード vault_unseal_key_1 REDIS_AUTH";
    for name in names.split_ascii_whitespace() {
        assert_eq!(refused("app/values.yaml", &format!("{name}: {DRAWN}\n")), [DRAWN], "{name}");
    }
}

#[test]
fn names_about_a_secret_say_nothing() {
    let names = "\
        passwordRef passwordFile token_url secretName existingSecret passwordKey public_key cache_key translation_key \
        hashed_secret encrypted_password sealedSecret token_hash idempotencyKey sshAuthorizedKeys csrfToken nextPageToken \
        password_policy keyboard monkey";
    for name in names.split_ascii_whitespace() {
        assert_eq!(refused("app/values.yaml", &format!("{name}: {DRAWN}\n")), [""; 0], "{name}");
    }
}

#[test]
fn values_below_or_beside_their_name_are_found() {
    let yaml = [
        "passwords:\n  - X\n",
        "password:\n  value: X\n",
        "password:    # rotated\n  \"X\"\n",
        "credentials:\n  user: app\n  value: X\n",
        "secretEnv:\n  SHOP: X\n",
        "variables:\n  DEPLOY_TOKEN:\n    description: x\n    value: X\n",
        "- name: DB_PASSWORD\n  # rotate\n  value: X\n",
        "- name: DB_PASSWORD\n  description: the password\n  value: X\n",
        "- value: X\n  description: y\n  name: DB_PASSWORD\n",
        "- {name: DB_PASSWORD, value: X}\n",
        "- op: replace\n  path: /data/password\n  value: X\n",
        "api_keys:\n  - key: X\n",
        "Parameters:\n  DBPassword:\n    Type: String\n    Default: X\n",
        "command: [\"redis-server\", \"--requirepass\", \"X\"]\n",
        "command:\n  - --requirepass\n  - X\n",
        "password: \"{{ 'X' | password_hash('sha512') }}\"\n",
        "db_password: \"{{ vault_pw | default('X') }}\"\n",
        "password: {{ \"X\" | b64enc | quote }}\n",
        "DB_PASSWORD: ${DB_PASSWORD:-X}\n",
    ];
    let json = [
        "{\"password\": {\"value\": \"X\"}}",
        "{\"DBPassword\":{\"Type\":\"String\",\"NoEcho\":true,\"Default\":\"X\"}}",
        "[{\"ParameterKey\":\"DBPassword\",\"ParameterValue\":\"X\"}]",
        "{\"environment\":[{\"value\":\"X\",\"name\":\"API_TOKEN\"}]}",
        "{\"a\": \"{\\\"password\\\": \\\"X\\\"}\"}",
    ];
    let hcl = [
        "api_tokens = [\n  \"X\",\n]\n",
        "secrets = {\n  \"grafana\" = \"X\"\n}\n",
        "variable \"admin_password\" {\n  type = list(string)\n  default = [\"X\"]\n}\n",
        "environment = [{ name = \"DB_PASSWORD\", value = \"X\" }]\n",
        "resource \"aws_ssm_parameter\" \"db_password\" {\n  name = \"/prod/db\"\n  value = \"X\"\n}\n",
        "resource \"x\" \"k\" {\n  name  = \"sql-admin-password\"\n  value = \"X\"\n}\n",
        "~ password = \"same\" -> \"X\"\n",
    ];
    let other = [
        ("nginx.conf", "set $token \"X\";\n"),
        ("redis.conf", "requirepass X\n"),
        ("a.conf", "SetEnv API_KEY X\n"),
        ("a.properties", "db.password.prod = X\n"),
        ("a.properties", "spring.datasource.password:X\n"),
        ("a.sql", "CREATE USER y IDENTIFIED WITH sha256_password BY 'X';\n"),
        ("a.sql", "CREATE ROLE app PASSWORD $$X$$;\n"),
        ("a.plist", "<key>APIKey</key>\n<string>X</string>\n"),
        ("a.xml", "<meta-data android:name=\"API_KEY\" android:value=\"X\"/>\n"),
        ("a.ps1", "Connect-It -Password \"X\"\n"),
        ("a.py", "PASSWORD = (\n    'X'\n)\n"),
        ("a.py", "{\"name\": \"DB_PASSWORD\", \"value\": \"X\"}\n"),
    ];
    let cases = yaml.map(|text| ("a/values.yaml", text)).into_iter();
    let cases =
        cases.chain(json.map(|text| ("a/c.json", text))).chain(hcl.map(|text| ("a/main.tf", text))).chain(other);
    for (path, text) in cases {
        assert_eq!(refused(path, &text.replace('X', DRAWN)), [DRAWN], "{path}: {text:?}");
    }
}

#[test]
fn passwords_of_people_count_in_configuration() {
    let chosen = [
        concat!("Saffron", ".Gate5"),
        concat!("Saffron", "-Gate5"),
        concat!("Saffron", "/Gate5"),
        concat!("Saffron", "Gate5"),
        concat!("saffron", "gate"),
        concat!("correct-horse", "-battery-staple"),
        concat!("Passage2", "Nowhere!"),
        concat!("Secret_", "Pa55"),
        concat!("/tHx9Q", "k2mWz4"),
        concat!("[tHx9Q", "k2mWz4]"),
        concat!("<tHx9Q", "k2mWz4"),
        concat!("$uper-9x", "Q2zLw5-Ny"),
        concat!("tHx9Qk", " 2mWz4"),
    ];
    for password in chosen {
        assert_eq!(refused("app/values.yaml", &format!("password: \"{password}\"\n")), [password]);
    }
}

#[test]
fn values_that_stand_for_a_secret_are_none() {
    let quiet = [
        "CHANGE_ME_IN_UI",
        "<your-password>",
        "$DB_PASSWORD",
        "${DB_PASSWORD}",
        "{{ vault_password }}",
        "None",
        "changeme",
        "set-via-vault",
        "/run/secrets/db_password",
        "redis-password",
        "op://vault/db/password",
        "%(password)s",
        "@@PASSWORD@@",
        "Enter your password",
        "xxxxxxxxxxxx",
        "my-secret-password",
        "vault:secret/data/db#password",
        "[{\"id\": \"1583789194\"}]",
        "ENC[AES256_GCM,data:Zm9v]",
        "{SSHA}li+WOO1n8H3vQ0k8GUA8s1k0s8OYBSIi",
    ];
    for value in quiet {
        let quoted = value.replace('\'', "''");
        assert_eq!(refused("app/values.yaml", &format!("password: '{quoted}'\n")), [""; 0], "{value}");
        assert_eq!(refused("app/values.yaml", &format!("api_token: '{quoted}'\n")), [""; 0], "{value}");
    }
    // A word that names the user or the database too is a default.
    assert_eq!(refused("ci.yaml", "POSTGRES_USER: saleor\nPOSTGRES_PASSWORD: saleor\n"), [""; 0]);
}

#[test]
fn environments_are_no_fixtures() {
    let text = format!("password: {DRAWN}\n");
    let environments = [
        "overlays/test/app.yaml",
        "clusters/demo/app.yaml",
        "environments/integration/app.yaml",
        "e2e/values.yaml",
        "group_vars/test.yml",
        "values-test.yaml",
        "specs/values.yaml",
        "docs/values.yaml",
        "example.com.yaml",
        "hammock/a.yaml",
        "infra/test.tfvars",
        "latest_secrets.yaml",
    ];
    for path in environments {
        assert_eq!(refused(path, &text), [DRAWN], "{path}");
    }
    let fixtures = [
        "testdata/app.yaml",
        "pkg/fixtures/app.yaml",
        "examples/app.yaml",
        "values.example.yaml",
        "src/test/resources/app.yml",
        "vendor/x/app.yaml",
        "mocks/app.yaml",
    ];
    for path in fixtures {
        assert_eq!(refused(path, &text), [""; 0], "{path}");
    }
    for path in ["test/app.py", "e2e/login.ts", "pkg/a_test.go", "docs/a.md"] {
        assert_eq!(refused(path, &format!("password = \"{DRAWN}\"\n")), [""; 0], "{path}");
    }
}
