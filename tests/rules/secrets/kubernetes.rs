//! Secrets of Kubernetes: whatever the order of keys, in YAML and JSON, lists and several documents.

use bstr::BStr;
use portcullis::rules::secrets::built_in;

fn found(path: &str, text: &str) -> Vec<(String, String)> {
    let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
    hits.iter().map(|h| (h.detector.id.to_string(), text[h.secret.clone()].to_owned())).collect()
}

fn one(text: &str, secret: &str) {
    assert_eq!(found("app/secret.yaml", text), [("kubernetes-secret".to_owned(), secret.to_owned())], "{text}");
}

// `v7Kq2mZ0tRb4`
const ENCODED: &str = "djdLcTJtWjB0UmI0";
const PLAIN: &str = concat!("v7Kq", "2mZ0tRb4");

#[test]
fn the_order_of_keys_does_not_matter() {
    let parts =
        ["apiVersion: v1\n", "kind: Secret\n", "metadata:\n  name: db\n", &format!("data:\n  pin: {ENCODED}\n")];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [3, 1, 0, 2], [1, 3, 2, 0], [2, 3, 0, 1]] {
        one(&order.map(|at| parts[at]).concat(), ENCODED);
    }
}

#[test]
fn string_data_quotes_blocks_lists_and_documents() {
    one(&format!("kind: Secret\nstringData:\n  pin: \"{PLAIN}\"\n"), PLAIN);
    one(&format!("kind: Secret\nstringData:\n  pin: |\n    {PLAIN}\ntype: Opaque\n"), PLAIN);
    one(&format!("kind: ConfigMap\ndata:\n  pin: {ENCODED}\n---\nkind: Secret\ndata:\n  pin: {ENCODED}\n"), ENCODED);
    let list = format!(
        "kind: List\nitems:\n- kind: ConfigMap\n  data:\n    pin: {ENCODED}\n- data:\n    pin: {ENCODED}\n  kind: Secret\n- kind: Pod\n"
    );
    one(&list, ENCODED);
    one(&format!("kind: \"Secret\"\r\ndata:\r\n  pin: {ENCODED}\r\n"), ENCODED);
}

#[test]
fn json_in_any_order_pretty_or_not() {
    let id = |text: &str| found("app/secret.json", text);
    let expected = [("kubernetes-secret".to_owned(), ENCODED.to_owned())];
    assert_eq!(id(&format!("{{\"kind\":\"Secret\",\"data\":{{\"pin\":\"{ENCODED}\"}}}}")), expected);
    assert_eq!(
        id(&format!("{{\"data\":{{\"pin\":\"{ENCODED}\"}},\"metadata\":{{\"name\":\"x\"}},\"kind\":\"Secret\"}}")),
        expected
    );
    assert_eq!(
        id(&format!("{{\n  \"data\": {{\n    \"pin\": \"{ENCODED}\"\n  }},\n  \"kind\": \"Secret\"\n}}\n")),
        expected
    );
    let list = format!(
        "{{\"items\":[{{\"kind\":\"ConfigMap\",\"data\":{{\"pin\":\"{ENCODED}\"}}}},{{\"data\":{{\"pin\":\"{ENCODED}\"}},\"kind\":\"Secret\"}}]}}"
    );
    assert_eq!(id(&list).len(), 1);
}

#[test]
fn what_is_inside_is_named() {
    let token = super::github_token(8);
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &token);
    assert_eq!(
        found("app/secret.yaml", &format!("kind: Secret\ndata:\n  x: {encoded}\n")),
        [("github-pat".to_owned(), encoded)]
    );
}

#[test]
fn other_kinds_references_ciphertext_and_placeholders_are_quiet() {
    for quiet in [
        format!("kind: SealedSecret\nspec:\n  encryptedData:\n    pin: {ENCODED}\n"),
        format!("kind: ConfigMap\ndata:\n  pin: {ENCODED}\n"),
        "kind: ExternalSecret\nspec:\n  data:\n    - secretKey: password\n      remoteRef: { key: infra/db1 }\n".to_owned(),
        "kind: Secret\nstringData:\n  password: ENC[AES256_GCM,data:9Yw2kL7v,iv:b3mQ,tag:x8Zr,type:str]\nsops:\n  mac: x\n".to_owned(),
        "kind: Secret\nstringData:\n  password: <path:secret/data/db#password>\n".to_owned(),
        "kind: Secret\nstringData:\n  password: ${DB_PASSWORD}\n".to_owned(),
        "kind: Secret\nstringData:\n  password: changeme\n  username: admin\n".to_owned(),
        "kind: Secret\ndata:\n  password: Y2hhbmdlbWU=\n".to_owned(),
        "kind: Secret\ndata: {}\n".to_owned(),
        "kind: Secret\ndata:\n  password: {{ .Values.password | b64enc }}\n".to_owned(),
        "kind: Secret\nstringData:\n  url: https://git.corp.internal/infra\n  type: git\n".to_owned(),
    ] {
        assert_eq!(found("app/secret.yaml", &quiet), [], "{quiet}");
    }
}

/// A release as Helm stores it: JSON, gzip, base64, and base64 once more because it is a Secret.
fn release(json: &str) -> String {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let inner = encode(&gzip(json.as_bytes()));
    format!("apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\ndata:\n  release: {}\n", encode(inner.as_bytes()))
}

/// Makes gzip without compressing, which every inflater reads.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for (number, block) in content.chunks(60_000).enumerate() {
        let last = u8::from((number + 1) * 60_000 >= content.len());
        let length = block.len() as u16;
        packed.push(last);
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(crc32fast::hash(content).to_le_bytes());
    packed.extend((content.len() as u32).to_le_bytes());
    packed
}

fn rules(text: &str) -> Vec<String> {
    found("app/release.yaml", text).into_iter().map(|(rule, _)| rule).collect()
}

#[test]
fn releases_of_helm_are_unpacked() {
    let token = super::github_token(7);
    assert_eq!(rules(&release(&format!("{{\"config\":{{\"ci\":\"{token}\"}}}}"))), ["github-pat"]);
    let manifest = format!("---\\nkind: Secret\\nstringData:\\n  pin: {PLAIN}\\n");
    assert_eq!(rules(&release(&format!("{{\"manifest\":\"{manifest}\"}}"))), ["kubernetes-secret"]);
    assert_eq!(rules(&release("{\"config\":{\"replicas\":3},\"manifest\":\"---\\nkind: Pod\\n\"}")), [""; 0]);
}

#[test]
fn a_release_that_is_cut_off_or_too_large_is_read_as_far_as_it_goes() {
    let token = super::github_token(7);
    let whole = release(&format!("{{\"ci\":\"{token}\",\"pad\":\"{}\"}}", "pad ".repeat(20_000)));
    assert_eq!(rules(&whole), ["github-pat"]);
    assert_eq!(rules(&whole[..whole.len() - 4000]), ["github-pat"], "cut off");
    let late = release(&format!("{{\"pad\":\"{}\",\"ci\":\"{token}\"}}", "pad ".repeat(3 << 20)));
    assert_eq!(rules(&late), [""; 0], "behind the bound");
    for garbage in ["SDRzSUFBQUFB", "SDRzSUFBQUFBQUFBQS8=", "H4sIAAAA", "H4sI"] {
        assert_eq!(rules(&format!("kind: Secret\ndata:\n  release: {garbage}\n")), [""; 0], "{garbage}");
    }
}
