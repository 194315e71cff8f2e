//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over the id, the time and the body of a
//! message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use foretell_ports::webhook::{WebhookMessage, WebhookSecret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Returns the value of the header `webhook-timestamp`: seconds since 1970.
pub(crate) const fn timestamp_s(message: &WebhookMessage) -> i64 {
    message.sent_at.micros().div_euclid(1_000_000)
}

/// Returns the header `webhook-signature`: a signature with each key, separated by spaces.
pub(crate) fn signatures(secrets: &[WebhookSecret], message: &WebhookMessage) -> String {
    let signatures: Vec<_> =
        secrets.iter().filter_map(|secret| signature(secret, message)).collect();
    signatures.join(" ")
}

fn signature(secret: &WebhookSecret, message: &WebhookMessage) -> Option<String> {
    // HMAC accepts keys of any length, so this is never `None`.
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).ok()?;
    mac.update(format!("{}.{}.", message.id, timestamp_s(message)).as_bytes());
    mac.update(&message.body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use foretell_domain::time::Timestamp;

    use super::*;

    #[test]
    fn signature_equals_published_library() {
        // Computed by the Python package standardwebhooks 1.1.0: Webhook(secret).sign(id, time,
        // body). The secret is whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= there.
        let secret = WebhookSecret(*b"0123456789abcdef0123456789abcdef");
        let message = WebhookMessage {
            id: "msg_1".to_owned(),
            sent_at: Timestamp::from_micros(1_700_000_000_999_999),
            body: br#"{"type":"market.trade"}"#.to_vec(),
        };
        assert_eq!(
            signatures(&[secret], &message),
            "v1,r39mHJp/MaoPQPJcMCYYr5IfGYeBZ77dUBhHeJPsf/M="
        );
        let both = signatures(&[WebhookSecret([7; 32]), secret], &message);
        assert!(
            both.ends_with(" v1,r39mHJp/MaoPQPJcMCYYr5IfGYeBZ77dUBhHeJPsf/M=")
                && both.matches("v1,").count() == 2,
            "{both}"
        );
    }
}
