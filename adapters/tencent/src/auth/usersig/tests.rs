use super::*;

const APP: u32 = 1_400_000_000;
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ADMIN: &str = "administrator";
/// The vendor's worked example: `npm tls-sig-api-v2` 1.0.2 with a fixed clock.
const SIG: &str = "eJxVyjELwjAUBOD-8mYpqUSNAZd2kNbooqJr5KX2UZqGNNaA*N*FWgdvu*-uBSd1TAbjQcI8YTAbO6GxgSoaWWNLlvrgdej8dOix0c4Rgkw5m-JdArUGZLr6VxMdeQNSLPmPerqDhLV*XsxZiX2Mt8wKrDNWDo*Olbui5njIVbMtrtwuKmQbeH8Atbkz1Q__";
const PROOF: &str = "9awWeUL8MxxbBn8dhB0Jvuo0JKIh4dNCLkGIX4n5fd0=";
const NOW: Millis = Millis(1_700_000_100_000);

fn check(sig: &str, identifier: &str) -> Result<(), Code> {
    Verifier::new(APP, KEY).verify(sig, identifier, NOW).map(|_| ())
}

fn document(json: &str) -> String {
    in_signature_alphabet(json.as_bytes())
}

#[test]
fn the_documented_signature_is_true() {
    assert_eq!(check(SIG, ADMIN), Ok(()));
    assert_eq!(Document::read(&user_sig(APP, KEY, ADMIN, 1_700_000_000, 86_400)).unwrap().sig, PROOF);
    for spelling in [PROOF.trim_end_matches('=').to_owned(), PROOF.replace('+', "-").replace('/', "_")] {
        let mut document = Document::read(SIG).unwrap();
        document.sig = spelling.clone();
        let signature = in_signature_alphabet(&serde_json::to_vec(&document).unwrap());
        assert_eq!(check(&signature, ADMIN), Ok(()), "a proof is compared by value: {spelling}");
    }
}

#[test]
fn every_layout_of_the_sdks_is_true() {
    let layouts = [
        // node
        format!(
            r#"{{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":1400000000,"TLS.time":1700000000,"TLS.expire":86400,"TLS.sig":"{PROOF}"}}"#
        ),
        // python
        format!(
            r#"{{"TLS.ver": "2.0", "TLS.identifier": "administrator", "TLS.sdkappid": 1400000000, "TLS.expire": 86400, "TLS.time": 1700000000, "TLS.sig": "{PROOF}"}}"#
        ),
        // go
        format!(
            r#"{{"TLS.expire":86400,"TLS.identifier":"administrator","TLS.sdkappid":1400000000,"TLS.sig":"{PROOF}","TLS.time":1700000000,"TLS.ver":"2.0"}}"#
        ),
        // java
        format!(
            "{{\n \"TLS.sig\":\"{PROOF}\",\n \"TLS.time\":1700000000,\n \"TLS.ver\":\"2.0\",\n \"TLS.sdkappid\":1400000000,\n \"TLS.identifier\":\"administrator\",\n \"TLS.expire\":86400}}"
        ),
    ];
    for layout in layouts {
        assert_eq!(check(&document(&layout), ADMIN), Ok(()), "{layout}");
    }
}

#[test]
fn a_user_buffer_is_part_of_what_is_signed() {
    let mut signed = Document {
        version: VERSION.to_owned(),
        identifier: ADMIN.to_owned(),
        sdkappid: APP,
        time: 1_700_000_000,
        expire: 86_400,
        userbuf: Some("AAEC".to_owned()),
        sig: String::new(),
    };
    signed.sig = STANDARD.encode(signed.proof(keyed(KEY)));
    assert_eq!(check(&document(&serde_json::to_string(&signed).unwrap()), ADMIN), Ok(()));
    signed.userbuf = Some("AAED".to_owned());
    assert_eq!(check(&document(&serde_json::to_string(&signed).unwrap()), ADMIN), Err(Code::SigForged));
}

/// Otherwise an account whose id consists of several lines could sign for an admin.
#[test]
fn no_field_is_read_as_several_lines() {
    let (time, expire) = (1_700_000_000, 86_400);
    let identifier = format!("{ADMIN}\nTLS.sdkappid:{APP}\nTLS.time:{time}\nTLS.expire:{expire}\nTLS.userbuf:x");
    let mut of_lines = Document {
        version: VERSION.to_owned(),
        identifier: identifier.clone(),
        sdkappid: APP,
        time,
        expire,
        userbuf: None,
        sig: String::new(),
    };
    of_lines.sig = STANDARD.encode(of_lines.proof(keyed(KEY)));
    let proof = of_lines.proof(keyed(KEY));
    assert_eq!(check(&document(&serde_json::to_string(&of_lines).unwrap()), &identifier), Err(Code::SigIllegal));
    of_lines.identifier = ADMIN.to_owned();
    of_lines.userbuf = Some(format!("x\nTLS.sdkappid:{APP}\nTLS.time:{time}\nTLS.expire:{expire}"));
    assert_eq!(of_lines.proof(keyed(KEY)), proof, "the same lines");
    assert_eq!(check(&document(&serde_json::to_string(&of_lines).unwrap()), ADMIN), Err(Code::SigIllegal));
}

#[test]
fn each_failure_has_its_code() {
    assert_eq!(check("", ADMIN), Err(Code::SigEmpty));
    for illegal in ["eJwrtgUAAQ__", "not base64 at all", "AAAA", &document("{}"), &document("[1,2]")] {
        assert_eq!(check(illegal, ADMIN), Err(Code::SigIllegal), "{illegal}");
    }
    assert_eq!(check(SIG, "bob"), Err(Code::SigIdentifier));
    assert_eq!(check(&user_sig(APP + 1, KEY, ADMIN, 1_700_000_000, 86_400), ADMIN), Err(Code::SigApp));
    assert_eq!(check(&user_sig(APP, &"f".repeat(64), ADMIN, 1_700_000_000, 86_400), ADMIN), Err(Code::SigForged));
    assert_eq!(check(&user_sig(APP, KEY, ADMIN, 1_600_000_000, 86_400), ADMIN), Err(Code::SigExpired));
    assert_eq!(check(&user_sig(APP, KEY, ADMIN, u64::MAX, u64::MAX), ADMIN), Err(Code::SigIllegal));
    let other_version = SIG.to_owned();
    let json = serde_json::to_string(&Document::read(&other_version).unwrap()).unwrap().replace("2.0", "1.0");
    assert_eq!(check(&document(&json), ADMIN), Err(Code::SigIllegal));
}

#[test]
fn what_inflates_without_end_is_illegal() {
    let bomb = in_signature_alphabet(&vec![b' '; 4 << 20]);
    assert!(bomb.len() < LONGEST, "the bomb itself is small: {}", bomb.len());
    assert_eq!(check(&bomb, ADMIN), Err(Code::SigIllegal));
    assert_eq!(check(&"A".repeat(LONGEST + 1), ADMIN), Err(Code::SigIllegal));
}

#[test]
fn a_remembered_signature_is_still_held_to_its_caller_and_time() {
    let verifier = Verifier::new(APP, KEY);
    assert!(verifier.verify(SIG, ADMIN, NOW).is_ok());
    assert_eq!(verifier.proven.len(), 1);
    assert_eq!(verifier.verify(SIG, "bob", NOW), Err(Code::SigIdentifier));
    assert!(verifier.verify(SIG, ADMIN, Millis(1_700_086_400_000)).is_ok());
    assert_eq!(verifier.verify(SIG, ADMIN, Millis(1_700_086_401_000)), Err(Code::SigExpired));
}

#[test]
fn only_true_signatures_are_remembered() {
    let verifier = Verifier::new(APP, KEY);
    let forged = user_sig(APP, "other", ADMIN, 1_700_000_000, 86_400);
    assert_eq!(verifier.verify(&forged, ADMIN, NOW), Err(Code::SigForged));
    assert_eq!(verifier.proven.len(), 0);
}
