//! The rule that Redis runs against the same rule written here, over random sequences of requests,
//! pauses and changed limits, and with a clock that jumps back.

use fred::clients::Client;
use fred::interfaces::{ClientLike, LuaInterface};
use fred::types::config::Config;
use tarsify_testing::RedisServer;

const SCRIPT: &str = include_str!("../../src/gcra.lua");

/// As the script keeps it: when as many may come at once as ever.
#[derive(Default)]
struct Reference {
    full: Option<i64>,
}

impl Reference {
    fn take(&mut self, now: i64, interval: i64, burst: i64) -> [i64; 3] {
        let whole = interval * burst;
        let full = self.full.unwrap_or(now).clamp(now, now + whole);
        // So many parts of the minute are still to pass; one more has to fit in.
        if full - now > whole - interval {
            return [0, full - now - (whole - interval), full - now];
        }
        let after = full + interval;
        self.full = Some(after);
        [(now + whole - after) / interval, 0, after - now]
    }
}

/// Numbers that look random, and are the same whenever the seed is.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % bound).unwrap()
    }
}

/// The script with a clock that can be set, and with nothing that ends by Redis' own clock.
fn script_with_a_clock() -> String {
    let replaced = |text: &str, from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    };
    let script = replaced(SCRIPT, "redis.call('TIME')", "{ARGV[3], ARGV[4]}");
    replaced(&script, ", 'PX', math.ceil((after - now) / 1000)", "")
}

#[tokio::test]
async fn redis_decides_as_the_rule_says() {
    let server = RedisServer::start();
    let client = Client::new(Config::from_url(&server.url()).unwrap(), None, None, None);
    let _connection = client.init().await.unwrap();
    let script = script_with_a_clock();
    let (mut allowed, mut refused) = (0, 0);
    for seed in 1..=20_u64 {
        let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut reference = Reference::default();
        let mut now = 1_800_000_000_000_000 + numbers.below(1_000_000_000);
        let mut per_minute = 1 + numbers.below(200);
        for step in 0..250 {
            match numbers.below(20) {
                0 => per_minute = 1 + numbers.below(200),
                1 => now += numbers.below(120_000_000),
                2 => now -= numbers.below(90_000_000),
                3..=9 => now += numbers.below(1_000_000),
                _ => {}
            }
            let interval = 60_000_000 / per_minute;
            let arguments = vec![interval, per_minute, now / 1_000_000, now % 1_000_000];
            let key = format!("rule:{seed}");
            let told: Vec<i64> = client.eval(script.as_str(), key, arguments).await.unwrap();
            let expected = reference.take(now, interval, per_minute);
            assert_eq!(told, expected, "seed {seed}, step {step}");
            if told[1] == 0 {
                allowed += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert!(allowed > 500 && refused > 500, "{allowed} and {refused}");
}
