//! Message bodies without their markup, for search and for models.
//!
//! The tokenizer is html5gum: a stream of tokens by the rules of the HTML standard and no tree, so that depth is no
//! danger and time grows with the length alone. Mentions, emoji, images and attachments keep the words they show.
//! <https://learn.microsoft.com/graph/api/resources/chatmessage#properties>, `body`

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// A name that stands in for an attachment is cut here: a tag of a few bytes must not become a page.
const LONGEST_NAME: usize = 200;

/// The text of a message body; `attachment` gives the name of an attachment by its id.
pub(super) fn to_text(html: &str, attachment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = Text::new(html.len(), attachment);
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        text.see(&event);
        None
    });
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    text.out.truncate(text.out.trim_end().len());
    text.out
}

/// What stands between the words written and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
}

/// A tag that shows something by its attributes.
struct Shown {
    name: &'static str,
    attribute: Vec<u8>,
    alt: String,
    title: String,
    id: String,
    is_emoji: bool,
}

struct Text<'a> {
    out: String,
    gap: Gap,
    attachment: &'a dyn Fn(&str) -> Option<String>,
    /// The tag whose attributes are being read.
    shown: Option<Shown>,
    /// Inside of what keeps its white space.
    verbatim: usize,
    /// Inside of what is no text, until this tag ends.
    hidden: Option<&'static [u8]>,
    /// The next word is a mention's first.
    mention: bool,
}

impl<'a> Text<'a> {
    fn new(length: usize, attachment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            out: String::with_capacity(length / 2),
            gap: Gap::None,
            attachment,
            shown: None,
            verbatim: 0,
            hidden: None,
            mention: false,
        }
    }

    fn see(&mut self, event: &CallbackEvent<'_>) {
        if let Some(hidden) = self.hidden {
            if matches!(event, CallbackEvent::EndTag { name } if *name == hidden) {
                self.hidden = None;
            }
            return;
        }
        match event {
            CallbackEvent::OpenStartTag { name } => self.open(name),
            CallbackEvent::AttributeName { name } => {
                if let Some(shown) = &mut self.shown {
                    shown.attribute.clear();
                    shown.attribute.extend_from_slice(name);
                }
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some(shown) = &mut self.shown {
                    shown.set(&String::from_utf8_lossy(value));
                }
            }
            CallbackEvent::CloseStartTag { .. } => {
                if let Some(shown) = self.shown.take() {
                    self.show(&shown);
                }
            }
            CallbackEvent::EndTag { name } => self.close(name),
            CallbackEvent::String { value } => self.write(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
    }

    fn open(&mut self, name: &[u8]) {
        match name {
            b"emoji" => self.shown = Some(Shown::new("emoji")),
            b"img" => self.shown = Some(Shown::new("img")),
            b"attachment" => self.shown = Some(Shown::new("attachment")),
            b"at" => self.mention = true,
            b"script" => self.hidden = Some(b"script"),
            b"style" => self.hidden = Some(b"style"),
            b"li" => {
                self.gap = Gap::Line;
                self.word("-");
                self.gap = Gap::Space;
            }
            b"td" | b"th" => self.gap = self.gap.max(Gap::Space),
            b"pre" | b"codeblock" => {
                self.gap = Gap::Line;
                self.verbatim += 1;
            }
            name if is_block(name) => self.gap = Gap::Line,
            _ => {}
        }
    }

    fn close(&mut self, name: &[u8]) {
        match name {
            b"at" => self.mention = false,
            b"pre" | b"codeblock" => {
                self.gap = Gap::Line;
                self.verbatim = self.verbatim.saturating_sub(1);
            }
            name if is_block(name) => self.gap = Gap::Line,
            _ => {}
        }
    }

    /// Writes what a tag shows.
    fn show(&mut self, shown: &Shown) {
        let words = match shown.name {
            "emoji" => [&shown.alt, &shown.title].into_iter().find(|text| !text.is_empty()).cloned(),
            "img" if shown.is_emoji && !shown.alt.is_empty() => Some(shown.alt.clone()),
            "img" if shown.alt.is_empty() => Some("[image]".to_owned()),
            "img" => Some(format!("[{}]", shown.alt)),
            _ => {
                let name = (self.attachment)(&shown.id).unwrap_or_else(|| "attachment".to_owned());
                self.gap = self.gap.max(Gap::Space);
                Some(format!("[{}]", name.chars().take(LONGEST_NAME).collect::<String>()))
            }
        };
        if let Some(words) = words {
            self.word(&words);
        }
    }

    /// Writes text: white space counts as one space, unless it is kept.
    fn write(&mut self, text: &str) {
        if self.verbatim > 0 {
            self.word(text);
            return;
        }
        let is_space = |c: char| c.is_whitespace() || c == '\u{a0}';
        if text.starts_with(is_space) {
            self.gap = self.gap.max(Gap::Space);
        }
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            self.word(word);
            self.gap = Gap::Space;
        }
        if !text.ends_with(is_space) && self.gap == Gap::Space && text.contains(|c| !is_space(c)) {
            self.gap = Gap::None;
        }
    }

    fn word(&mut self, word: &str) {
        match self.gap {
            _ if self.out.is_empty() => {}
            Gap::None => {}
            Gap::Space => self.out.push(' '),
            Gap::Line => {
                if !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
            }
        }
        self.gap = Gap::None;
        if std::mem::take(&mut self.mention) && !word.starts_with('@') {
            self.out.push('@');
        }
        self.out.push_str(word);
    }
}

impl Shown {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            attribute: Vec::new(),
            alt: String::new(),
            title: String::new(),
            id: String::new(),
            is_emoji: false,
        }
    }

    /// A value of the attribute named last; of one that comes twice the first counts.
    fn set(&mut self, value: &str) {
        let slot = match self.attribute.as_slice() {
            b"alt" => &mut self.alt,
            b"title" => &mut self.title,
            b"id" => &mut self.id,
            b"itemtype" => {
                self.is_emoji |= value.ends_with("/Emoji");
                return;
            }
            _ => return,
        };
        if slot.is_empty() {
            slot.push_str(value);
        }
    }
}

fn is_block(name: &[u8]) -> bool {
    const BLOCKS: [&[u8]; 22] = [
        b"p",
        b"div",
        b"br",
        b"hr",
        b"ul",
        b"ol",
        b"li",
        b"tr",
        b"table",
        b"tbody",
        b"thead",
        b"blockquote",
        b"h1",
        b"h2",
        b"h3",
        b"h4",
        b"h5",
        b"h6",
        b"section",
        b"article",
        b"dl",
        b"dt",
    ];
    BLOCKS.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    fn text(html: &str) -> String {
        to_text(html, &|id| (id == "file").then(|| "Plan ü.docx".to_owned()))
    }

    #[test]
    fn what_people_see_is_kept() {
        for (html, expected) in [
            ("<p>one</p><p>two</p>", "one\ntwo"),
            ("<div><div>one<br>two</div></div>", "one\ntwo"),
            ("a <b>bold</b>, <i>word</i>s", "a bold, words"),
            ("tom &amp; jerry &lt;3&nbsp;&#x1F9EA;", "tom & jerry <3 \u{1F9EA}"),
            ("<at id=\"0\">Adele Vance</at> can you look?", "@Adele Vance can you look?"),
            ("<at id=\"0\">Adele</at>&nbsp;<at id=\"1\">Vance</at>", "@Adele @Vance"),
            (r#"so <emoji id="smile" alt="🙂" title="Smile"></emoji>"#, "so 🙂"),
            (r#"<emoji id="x" title="Party"></emoji>!"#, "Party!"),
            (r#"<img alt="😀" itemtype="http://schema.skype.com/Emoji" src="x">"#, "😀"),
            (r#"see <img alt="a chart" src="y">"#, "see [a chart]"),
            (r#"<div><img src="y"></div>"#, "[image]"),
            (r#"here<attachment id="file"></attachment>"#, "here [Plan ü.docx]"),
            (r#"<attachment id="card"></attachment>"#, "[attachment]"),
            ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("<p>x</p><pre>a  b\n  c</pre><p>y</p>", "x\na  b\n  c\ny"),
            ("<style>p{}</style><script>alert('<p>')</script>text<!-- no -->", "text"),
            ("<systemEventMessage/>", ""),
            ("  \n ", ""),
            ("a < b and <", "a < b and <"),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn hostile_bodies_of_four_megabytes_take_bounded_time() {
        // A debug build takes as long for one as a release build for dozens.
        const SIZE: usize = if cfg!(debug_assertions) { 1 << 20 } else { 4 << 20 };
        for part in [
            "<div>",
            "<",
            "<at id=\"",
            "<a b c d e f g ",
            "&amp",
            "&#x10ffff;",
            "<!--",
            "</",
            "<script>",
            "<pre>",
            "<attachment id=\"file\">",
            "<img alt=\"",
            "\u{0}",
            "<![CDATA[",
            "<p a='",
            "a ",
            "<emoji alt=x>",
            "<li>",
        ] {
            let html = part.repeat(SIZE / part.len());
            let begin = Instant::now();
            let length = text(&html).len();
            assert!(begin.elapsed().as_secs() < 20, "{part}: {:?}", begin.elapsed());
            assert!(length <= 4 * SIZE, "{part}: {length} bytes");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(html in "(<[a-z/!]{0,8}|&[a-z#0-9]{0,5};?|[ \"'=>/-]|\\PC){0,60}") {
            let found = text(&html);
            prop_assert!(found.len() <= 16 * html.len() + 16);
        }
    }
}
