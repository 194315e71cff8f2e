//! Values: every text and time that the domain accepts is returned from storage unchanged.

use foretell_domain::comment::Comment;
use foretell_domain::market::MarketTexts;
use foretell_domain::post::{Post, PostBody, PostStatus};
use foretell_domain::tag::{Tag, Tags};
use foretell_domain::text::{
    AvatarUrl, Category, CommentContent, Email, KeyName, MarketDescription, MarketName, Memo,
    OptionName, PostContent, PostTitle, UserName,
};
use foretell_domain::time::Timestamp;
use foretell_domain::transfer::{TransferKind, TransferOrder};
use foretell_domain::user::User;
use foretell_ports::api_key::ApiKey;
use foretell_ports::market::NewMarket;
use foretell_ports::page::{PageRequest, PageStart};

use super::Harness;
use super::fixture::Fixture;

/// Texts that the domain accepts and that storage could change: quotes and wildcards of SQL,
/// characters beyond the basic plane, letters whose case has another length, joiners, and marks.
/// Each fits any one-line field.
const ACCEPTED: [&str; 12] = [
    "'; DROP TABLE users; --",
    "\\x00 \\u0000 %_*?[a]^ {0} $1 :name",
    "\u{1F469}\u{200D}\u{1F680} \u{1F44D}\u{1F3FD} 1\u{FE0F}\u{20E3}",
    "İıſẞǆ ΑΣς",
    "क्\u{200D}ष می\u{200C}خواهم",
    "葛\u{E0100}城 東京都 서울",
    "e\u{331}\u{325} \u{958}",
    "\u{FFFD}\u{1D11E}\u{20000}",
    "עברית العربية",
    "\"quoted\" <b>&amp;</b> `code` \\",
    "NULL",
    "0x41 1e9 -1",
];

/// Returns the longest text of a field, of four bytes per character.
fn longest(chars: usize) -> String {
    "\u{1F680}".repeat(chars)
}

async fn check_user(fixture: &Fixture, name: &str, at: Timestamp) {
    let user = User {
        email: Email::new(&format!("{}!#$%&'*+/=?^_`|~@Bücher.example", fixture.make.ids().user()))
            .unwrap(),
        name: UserName::new(name).expect(name),
        avatar: Some(
            AvatarUrl::new(format!(
                "https://example.org/{}",
                name.replace(['\'', '"', '<', '>', '`', '\\', '{', '}', '^', ' '], "-")
            ))
            .expect(name),
        ),
        created_at: at,
        ..fixture.make.user()
    };
    let (stored, password) = (user.clone(), fixture.make.password());
    assert!(fixture.commit(move |tx| tx.insert_user_once(&stored, &password)).await);
    assert_eq!(fixture.ports.users.find_user(user.id).await.unwrap().as_ref(), Some(&user));
    let found = fixture.ports.users.find_credentials(&user.email).await.unwrap().expect("the user");
    assert_eq!(found.user, user);
    let key = ApiKey {
        name: KeyName::new(name).expect(name),
        created_at: at,
        expires_at: Some(at),
        last_used_at: Some(at),
        ..fixture.make.api_key(user.id)
    };
    let (account, stored) = (fixture.make.account(user.id), key.clone());
    fixture.store_account(account).await;
    fixture.commit(move |tx| tx.insert_api_key(&stored)).await;
    let found = fixture.ports.users.find_api_key(&key.secret_hash).await.unwrap().expect("the key");
    assert_eq!(found.key, key);
}

async fn check_post(fixture: &Fixture, title: &str, content: &str, at: Timestamp) {
    let author = fixture.user().await.id;
    let tag = Tag::new(&title.chars().take(20).collect::<String>()).expect(title);
    let post = Post {
        body: PostBody {
            title: PostTitle::new(title).expect(title),
            content: PostContent::new(content).expect("a content"),
            tags: Tags::new([tag]).expect("one tag"),
            status: PostStatus::Published,
        },
        created_at: at,
        updated_at: at,
        ..fixture.make.post(author, PostStatus::Published, &[])
    };
    fixture.store_post(post.clone()).await;
    assert_eq!(fixture.ports.posts.find_post(post.id).await.unwrap().as_ref(), Some(&post));
    let comment = Comment {
        content: CommentContent::new(title).expect(title),
        created_at: at,
        updated_at: at,
        ..fixture.make.comment(author, post.id)
    };
    fixture.store_comment(comment.clone()).await;
    assert_eq!(fixture.ports.posts.find_comment(comment.id).await.unwrap(), Some(comment));
}

async fn check_market(fixture: &Fixture, text: &str, ends_at: Timestamp) {
    let creator = fixture.funded(1_000_000).await;
    let name = format!("abc {text}");
    let texts = MarketTexts::new(
        MarketName::new(&name).expect(text),
        MarketDescription::new(format!("Ten and more:\n\t{text}")).expect(text),
        Category::new(text.chars().take(40).collect::<String>()).expect(text),
        vec![
            OptionName::new(text).expect(text),
            OptionName::new("Something else").expect("a name"),
        ],
    );
    let created_at = Timestamp::from_micros(ends_at.micros() - 1);
    let new = fixture.make.market(&creator).created_at(created_at).ends_at(ends_at).build();
    let new = NewMarket { texts: texts.expect(text), ..new };
    fixture.store_market(new.clone()).await;
    let stored = fixture.stored_market(new.market.id()).await;
    assert_eq!((&stored.texts, stored.created_at), (&new.texts, created_at));
    assert_eq!(stored.market.record().ends_at, ends_at);
}

async fn check_transfer(fixture: &Fixture, memo: &str, at: Timestamp) {
    let (from, to) = (fixture.funded(1_000).await, fixture.account().await);
    let memo = Some(Memo::new(memo).expect(memo));
    let order = TransferOrder { memo, at, ..fixture.make.order(TransferKind::Payment, 5) };
    let written = fixture.transfer([from.id(), to.id()], order).await;
    let stored =
        fixture.ports.ledger.find_transfer(written.id, None).await.unwrap().expect("the transfer");
    assert_eq!(stored.transfer, written);
}

/// Texts of any characters are returned unchanged, and lists with them can be read.
pub async fn accepted_texts_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let at = Timestamp::from_micros(1_800_000_000_000_000);
    for text in ACCEPTED {
        check_user(&fixture, text, at).await;
        check_post(&fixture, text, &format!("{text}\n\t{text}"), at).await;
        check_market(&fixture, text, at).await;
        check_transfer(&fixture, text, at).await;
    }
    let listed = PageRequest { start: PageStart::Offset(0), limit: 100 };
    assert!(fixture.ports.users.list_users(listed).await.unwrap().len() > ACCEPTED.len());
}

/// The longest text of each field, of four bytes per character, fits.
pub async fn longest_texts_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let at = Timestamp::from_micros(1_800_000_000_000_000);
    // Percent-encoded in the avatar, where fewer fit.
    check_user(&fixture, &longest(38), at).await;
    check_post(&fixture, &longest(200), &longest(50_000), at).await;
    check_market(&fixture, &longest(50), at).await;
    check_transfer(&fixture, &longest(200), at).await;
}

/// The first and the last valid time are returned unchanged.
pub async fn extreme_times_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    for at in [Timestamp::MIN.plus_seconds(1), Timestamp::from_micros(-1), Timestamp::MAX] {
        check_user(&fixture, "A user", at).await;
        check_post(&fixture, "A post", "It says.", at).await;
        check_market(&fixture, "Yes", at).await;
        check_transfer(&fixture, "A memo", at).await;
    }
}
