//! The limits of requests and event streams.

use std::time::Duration;

use foretell_application::{RequestLimits, StreamLimits};
use foretell_ports::rate_limit::Budget;

use super::reader::Reader;

pub(super) fn read_limits(reader: &mut Reader) -> Option<RequestLimits> {
    let [read, write, log_in, invalid_tokens] =
        ["limits.read", "limits.write", "limits.login", "limits.invalid_tokens"]
            .map(|key| reader.number::<u32>(key, 0..=1_000_000));
    let window_s = reader.number("limits.window_s", 1..=86_400);
    let window = Duration::from_secs(window_s?);
    let budget = |quota| (quota > 0).then_some(Budget { quota, window });
    Some(RequestLimits {
        read: budget(read?),
        write: budget(write?),
        log_in: budget(log_in?),
        invalid_tokens: budget(invalid_tokens?),
    })
}

pub(super) fn read_streams(reader: &mut Reader) -> Option<StreamLimits> {
    let [per_user, per_address, total] =
        ["limits.streams_per_user", "limits.streams_per_address", "limits.streams"]
            .map(|key| reader.number::<u32>(key, 0..=1_000_000));
    let limit = |count: u32| (count > 0).then_some(count);
    Some(StreamLimits { per_user: limit(per_user?), per_address: limit(per_address?), total: limit(total?) })
}
