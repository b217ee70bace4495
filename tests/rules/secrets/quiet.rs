//! What real repositories have and no secret is, each beside a neighbour that is one.

use bstr::BStr;
use portcullis::finding::Confidence;
use portcullis::rules::secrets::built_in;

fn refused(path: &str, text: &str) -> bool {
    let text = text.replace("<>", "");
    let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
    hits.iter().any(|hit| hit.confidence > Confidence::Low)
}

/// What it is, a path, what is no secret there, and what is one.
const PAIRS: [(&str, &str, &str, &str); 15] = [
    ("call of a translation", "src/Params.java", "PASSWD = \"$t('mailPasswd')\";", "PASSWD = \"$t9<>Q!xvR4m\";"),
    ("call of a translation", "src/a.vue", "password: \"t('login.password')\",", "password: \"t(9<>Qx!vR4m\","),
    (
        "pass of a filter",
        "src/Helper.cs",
        "var filterFirstPass = \"vpp=fmt=b8a:afbc=1\";",
        "var mailPass = \"vpp7<>Km=fmt2!\";",
    ),
    ("pass of a proxy", "conf/site.yaml", "proxy_pass: backend-4x2:9000", "smtp_pass: Backend<>4x2!9000"),
    (
        "document in a Secret",
        "deploy/secret.yaml",
        "kind: Secret\nstringData:\n  config: '{\"tlsClientConfig\":{\"insecure\":false}}'\n",
        "kind: Secret\nstringData:\n  config: '{\"password\":\"v7Kq<>2mZ0tRb4\"}'\n",
    ),
    (
        "name of a secret",
        "hosts/values.yaml",
        "secret: \"ibm-ppc64le-ssh-key-wdc06\"",
        "secret: \"v7kq2mz0<>trb4w9xhs8n\"",
    ),
    ("name of a secret", "hosts/values.yaml", "token: github-app-token-x86-64", "token: v7kq2mz0-<>trb4w9xh-s8nx2"),
    (
        "string with expressions",
        "src/keys.py",
        "platform_key = f\"{'.'.join(key.split('.')[:-1])}.platform9\"",
        "platform_key = f\"v7Kq2mZ0<>tRb4w9XhS8nP\"",
    ),
    (
        "line ends within a string",
        "assets/api.json",
        "{\"title\": \"objects.\\n+patchMergeKey=uid\\n+listType=map9\\n+listMapKey=uid\"}",
        "{\"title\": \"objects.\\n+mergeToken=v7Kq2mZ0<>tRb4w9XhS8nP\\n+listType=map\"}",
    ),
    (
        "shortened key",
        "README.md",
        "-----BEGIN RSA<> PRIVATE KEY-----\nMIIEogIBAAKCAQEAvLYcyu8f3skuRyUgeeNpeDvYBCDcgq+LsWap6zbX5f8oLqp4\n...\nwrj2wDbCDCFmfqnSJ+dKI3vFLlEz44sAV8jX/kd4Y6ZTQhlLbYc=\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN RSA<> PRIVATE KEY-----\nMIIEogIBAAKCAQEAvLYcyu8f3skuRyUgeeNpeDvYBCDcgq+LsWap6zbX5f8oLqp4\nwrj2wDbCDCFmfqnSJ+dKI3vFLlEz44sAV8jX/kd4Y6ZTQhlLbYc=\n-----END RSA PRIVATE KEY-----\n",
    ),
    (
        "user with his name for a password",
        "ci/users.sql",
        "CREATE USER 'app-test'@'localhost' IDENTIFIED WITH mysql_native_password BY 'app-test';",
        "CREATE USER 'app-test'@'localhost' IDENTIFIED WITH mysql_native_password BY 'Nordsee<>_1984';",
    ),
    (
        "example that says so",
        "modules/db/README.md",
        "password = \"ShownPassword123!\"",
        "password = \"v7Kq<>2mZ0tRb4w9XhS8nP\"",
    ),
    ("word for a test", "radius/users.conf", "password = \"testpw\"", "password = \"kestrel<>pw77\""),
    ("words of a template", "deploy/values.yaml", "password: stringDataValue", "password: Kestrel<>77!Value"),
    ("result of a test", "src/format.go", "pass: \"\\ueba4\", // check", "password: \"e<>Ba4!kuX9\", // check"),
];

#[test]
fn what_real_repositories_have_is_left_alone_and_its_neighbour_is_refused() {
    for (what, path, quiet, secret) in PAIRS {
        assert!(!refused(path, quiet), "{what} in {path} is refused: {quiet}");
        assert!(refused(path, secret), "beside {what}, {path} passes: {secret}");
    }
}
