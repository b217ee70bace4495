//! Which paths say that a file holds credentials, and what its content is asked for then.

use bstr::ByteSlice as _;

use super::{Kind, holds};

fn ends(name: &[u8], endings: &[&str]) -> bool {
    endings.iter().any(|e| name.ends_with(e.as_bytes()))
}

fn named(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|n| name == n.as_bytes())
}

pub(super) static KINDS: &[Kind] = &[
    Kind {
        code: "dotenv",
        name: "a dotenv file with values in it",
        help: "keep its values where secrets belong: a Windmill variable, a SOPS file, Vault or an external secret; revoke those that are secret",
        is: |name, _| {
            // kustomize keeps the versions of its images in a file of this name.
            let dotenv = name == b".env" || name.starts_with(b".env.") || name.len() > 4 && name.ends_with(b".env");
            dotenv && name != b"versions.env"
        },
        judge: holds::dotenv,
    },
    Kind {
        code: "terraform-state",
        name: "a Terraform state: it holds every secret that it manages, in the clear",
        help: "keep it in a remote backend, and change the secrets in it",
        is: |name, _| name.ends_with(b".tfstate") || name.contains_str(".tfstate."),
        judge: holds::terraform,
    },
    Kind {
        code: "terraform-plan",
        name: "a plan of Terraform: it holds every value that it would set, in the clear",
        help: "hand it from job to job as an artifact of CI, and change the secrets in it",
        is: |name, _| {
            named(name, &["tfplan", "tfplan.json", "plan.tfplan", "terraform.plan", "tfplan.out", "plan.out"])
                || ends(name, &[".tfplan", ".tfplan.json", ".tfplan.out"])
        },
        judge: holds::terraform,
    },
    Kind {
        code: "terraform-vars",
        name: "a file of Terraform variables with secrets in it",
        help: "revoke them, and pass them as TF_VAR_... from where secrets belong",
        is: |name, _| ends(name, &[".tfvars", ".tfvars.json"]),
        judge: holds::variables,
    },
    Kind {
        code: "kubeconfig",
        name: "a kubeconfig with credentials in it",
        help: "revoke them in the cluster, and use an exec plugin or OIDC",
        is: |name, path| {
            named(name, &["kubeconfig", "kubeconfig.yaml", "kubeconfig.yml", "admin.conf"])
                || name.ends_with(b".kubeconfig")
                || path == b".kube/config"
                || path.ends_with(b"/.kube/config")
        },
        judge: holds::any_secret,
    },
    Kind {
        code: "ssh-key",
        name: "a private SSH key",
        help: "make a new key, and replace the old public key wherever it is authorised",
        is: |name, _| {
            named(name, &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk"])
                || name.ends_with(b".ppk")
        },
        judge: holds::private_key,
    },
    Kind {
        code: "framework-key",
        name: "the master key of a Rails application: it opens every encrypted credential of it",
        help: "encrypt the credentials anew with another key, change every secret in them, and pass the key as RAILS_MASTER_KEY",
        is: |name, path| name == b"master.key" || name.ends_with(b".key") && path.contains_str("config/credentials/"),
        judge: |file| {
            let value = file.text.trim();
            let hex = value.len() >= 32 && value.iter().all(u8::is_ascii_hexdigit);
            if hex { holds::single_value(file) } else { holds::private_key(file) }
        },
    },
    Kind {
        code: "keyring",
        name: "a keyring of GnuPG with a secret key in it",
        help: "publish the key's revocation certificate (`gpg --gen-revoke`), and make a new key",
        is: |name, path| {
            let agent = path.contains_str("private-keys-v1.d/") && name.ends_with(b".key");
            agent || ends(name, &[".gpg", ".pgp", ".asc"]) && !name.ends_with(b".pub.gpg")
        },
        judge: holds::keyring,
    },
    Kind {
        code: "private-key",
        name: "a private key",
        help: "make a new key, and revoke certificates issued for the old one",
        is: |name, _| ends(name, &[".pem", ".key", ".p8", ".pk8", ".pkcs8", ".der", ".pvk"]),
        judge: holds::private_key,
    },
    Kind {
        code: "key-store",
        name: "a key store",
        help: "its password can be tried offline for ever: replace what is in it",
        is: |name, _| {
            const ENDINGS: &[&str] = &[
                ".pfx",
                ".p12",
                ".jks",
                ".jceks",
                ".bks",
                ".keystore",
                ".bcfks",
                ".kdbx",
                ".kdb",
                ".keychain",
                ".sso",
                ".mylogin.cnf",
            ];
            // Certificates of others, and the key with which every copy of Android's tools signs.
            let public = name.contains_str("truststore") || named(name, &["cacerts.jks", "debug.keystore"]);
            ends(name, ENDINGS) && !public
        },
        judge: holds::anything,
    },
    Kind {
        code: "private-key",
        name: "a secret identity of ZeroTier",
        help: "make a new identity (`zerotier-idtool generate`), and take the old node out of its networks",
        is: |name, _| name == b"identity.secret",
        judge: holds::any_secret,
    },
    Kind {
        code: "credentials",
        name: "a file of users with passwords in the clear",
        help: "change the passwords, and keep hashes of them (`htpasswd -B`)",
        is: |name, _| named(name, &[".htpasswd", "htpasswd"]) || name.ends_with(b".htpasswd"),
        judge: holds::plain_htpasswd,
    },
    Kind {
        code: "credentials",
        name: "a file in which a tool keeps its key",
        help: "revoke the key, and pass it as a secret of the environment",
        is: |name, path| {
            named(name, &["kaggle.json", "tailscaled.state"]) || path.ends_with(b".tailscale/tailscaled.state")
        },
        judge: holds::json_key,
    },
    Kind {
        code: "credentials",
        name: "a file in which a tool keeps its credentials, and there are some",
        help: "revoke them, and refer to the environment instead (such as ${NPM_TOKEN})",
        is: |name, path| {
            named(
                name,
                &[
                    ".npmrc",
                    ".yarnrc.yml",
                    ".pypirc",
                    ".netrc",
                    "_netrc",
                    ".git-credentials",
                    ".dockercfg",
                    ".dockerconfigjson",
                    ".pgpass",
                    ".my.cnf",
                    ".s3cfg",
                    ".boto",
                    ".terraformrc",
                    "terraform.rc",
                    "credentials.tfrc.json",
                ],
            ) || [
                ".docker/config.json",
                ".aws/credentials",
                ".cargo/credentials.toml",
                ".cargo/credentials",
                ".gem/credentials",
            ]
            .iter()
            .any(|tail| path.strip_suffix(tail.as_bytes()).is_some_and(|to| to.is_empty() || to.ends_with(b"/")))
        },
        judge: holds::any_secret,
    },
    Kind {
        code: "encryption-key",
        name: "the encryption key of a Windmill workspace: it opens every secret variable of it",
        help: "rotate the key in the workspace's settings, and leave it out of the sync (`includeKey: false` in wmill.yaml)",
        is: |name, _| named(name, &["encryption_key.yaml", "encryption_key.yml", "encryption_key"]),
        judge: holds::yaml_value,
    },
    Kind {
        code: "vault-token",
        name: "a token or password of a vault",
        help: "revoke it (`vault token revoke`) or change it (`ansible-vault rekey`)",
        is: |name, _| {
            let name = name.strip_suffix(b".txt").unwrap_or(name);
            let words: Vec<&[u8]> = name.split(|b| matches!(b, b'.' | b'-' | b'_')).filter(|w| !w.is_empty()).collect();
            let words = match words[..] {
                [b"ansible", ref rest @ ..] => rest,
                ref all => all,
            };
            // `.vault_pass`, `vault-password-file.txt`, `.ansible_vault_pass`, `.vault_pass_prod`
            matches!(words, [b"vault", b"token"])
                || matches!(words, [b"vault", b"pass" | b"password" | b"passwd" | b"passphrase" | b"pw", ..])
                    && (name.starts_with(b".") || !name.contains(&b'.'))
                || matches!(words, [b"vaultpass" | b"vaultpassword"])
        },
        judge: holds::single_value,
    },
];
