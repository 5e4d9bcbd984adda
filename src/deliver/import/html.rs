//! Bodies as Teams takes them: cut into parts that are whole, images put in or taken out, and the form in which two bodies
//! are compared.

/// A piece of HTML.
enum Piece<'a> {
    /// A tag as it is written, with its name; `</p>` closes.
    Tag {
        text: &'a str,
        name: &'a str,
        closes: bool,
        is_void: bool,
    },
    Text(&'a str),
}

const VOID: [&str; 6] = ["br", "img", "hr", "wbr", "input", "source"];

fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let is_tag = rest.starts_with('<')
            && rest[1..].starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/');
        let end = if is_tag { rest.find('>').map(|at| at + 1) } else { None };
        if let Some(end) = end {
            let text = &rest[..end];
            let inner = text[1..end - 1].trim_end_matches('/');
            let closes = inner.starts_with('/');
            let inner = inner.trim_start_matches('/');
            let name = inner.split(|letter: char| letter.is_whitespace()).next().unwrap_or_default();
            let is_void = VOID.iter().any(|void| void.eq_ignore_ascii_case(name));
            found.push(Piece::Tag { text, name, closes, is_void });
            rest = &rest[end..];
        } else {
            let skip = rest.chars().next().map_or(0, char::len_utf8);
            let end = rest[skip..].find('<').map_or(rest.len(), |at| at + skip);
            found.push(Piece::Text(&rest[..end]));
            rest = &rest[end..];
        }
    }
    found
}

/// How long a text is within JSON.
pub fn json_length(text: &str) -> usize {
    text.chars()
        .map(|letter| match letter {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            letter if letter < ' ' => 6,
            letter => letter.len_utf8(),
        })
        .sum()
}

/// Cuts a body into parts of at most `limit` bytes within JSON. Each part is whole HTML: what is open at a cut is closed
/// and opened again. A text is cut at a space where there is one, never inside an entity.
pub fn split(html: &str, limit: usize) -> Vec<String> {
    if json_length(html) <= limit {
        return vec![html.to_owned()];
    }
    let mut cutter =
        Cutter { limit, parts: Vec::new(), part: String::new(), length: 0, open: Vec::new(), is_bare: true };
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => cutter.text(text),
            Piece::Tag { text, name, closes, is_void } => cutter.tag(text, name, closes, is_void),
        }
    }
    cutter.finish()
}

struct Cutter<'a> {
    limit: usize,
    parts: Vec<String>,
    part: String,
    length: usize,
    /// Tags that are open: their text and name.
    open: Vec<(&'a str, &'a str)>,
    /// Nothing but opened tags is in the part.
    is_bare: bool,
}

impl<'a> Cutter<'a> {
    fn closing(&self) -> usize {
        self.open.iter().map(|(_, name)| name.len() + 3).sum()
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.length + self.closing())
    }

    fn push(&mut self, text: &str) {
        self.part.push_str(text);
        self.length += json_length(text);
    }

    fn cut(&mut self) {
        if self.is_bare {
            return;
        }
        for (_, name) in self.open.iter().rev() {
            self.part.push_str("</");
            self.part.push_str(name);
            self.part.push('>');
        }
        self.parts.push(std::mem::take(&mut self.part));
        self.length = 0;
        self.is_bare = true;
        for (text, _) in self.open.clone() {
            self.push(text);
        }
    }

    fn tag(&mut self, text: &'a str, name: &'a str, closes: bool, is_void: bool) {
        let needed = json_length(text) + if closes || is_void { 0 } else { name.len() + 3 };
        if needed > self.room() && !closes {
            self.cut();
        }
        if closes {
            if let Some(at) = self.open.iter().rposition(|(_, open)| open.eq_ignore_ascii_case(name)) {
                self.open.truncate(at);
                self.push(text);
            }
            return;
        }
        self.push(text);
        if is_void {
            self.is_bare = false;
        } else {
            self.open.push((text, name));
        }
    }

    fn text(&mut self, mut text: &str) {
        while !text.is_empty() {
            let room = self.room();
            if json_length(text) <= room {
                self.push(text);
                self.is_bare = false;
                return;
            }
            let at = place_to_cut(text, room);
            if at == 0 {
                if self.is_bare {
                    // Tags alone fill the part: the text must go somewhere.
                    let at = place_to_cut(text, 64).max(text.chars().next().map_or(1, char::len_utf8));
                    self.push(&text[..at]);
                    self.is_bare = false;
                    text = &text[at..];
                }
                self.cut();
                continue;
            }
            self.push(&text[..at]);
            self.is_bare = false;
            self.cut();
            text = &text[at..];
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.is_bare || self.parts.is_empty() {
            let open: Vec<_> = self.open.drain(..).collect();
            for (_, name) in open.iter().rev() {
                self.part.push_str("</");
                self.part.push_str(name);
                self.part.push('>');
            }
            self.parts.push(self.part);
        }
        self.parts
    }
}

/// The longest stretch of a text that fits: up to a space in its second half, and to no middle of an entity.
fn place_to_cut(text: &str, room: usize) -> usize {
    let (mut length, mut end, mut space) = (0, 0, 0);
    let mut entity: Option<usize> = None;
    for (at, letter) in text.char_indices() {
        length += json_length(letter.encode_utf8(&mut [0; 4]));
        if length > room {
            break;
        }
        match (letter, entity) {
            ('&', _) => entity = Some(at),
            (';', Some(_)) => entity = None,
            (_, Some(start)) if at - start > 12 => entity = None,
            _ => {}
        }
        if entity.is_none() {
            end = at + letter.len_utf8();
            if letter.is_whitespace() {
                space = end;
            }
        }
    }
    if space > end / 2 { space } else { end }
}

/// The source of the image in the text of an `img` tag, where it is a hosted content: its temporary id.
fn hosted_id(tag: &str) -> Option<&str> {
    let (_, rest) = tag.split_once("hostedContents/")?;
    let (id, _) = rest.split_once("/$value")?;
    Some(id)
}

/// The ids of the hosted contents that a body shows, in their order.
pub fn hosted_ids(html: &str) -> Vec<&str> {
    let tags = pieces(html).into_iter();
    tags.filter_map(|piece| match piece {
        Piece::Tag { text, name, closes: false, .. } if name.eq_ignore_ascii_case("img") => hosted_id(text),
        _ => None,
    })
    .collect()
}

/// Puts something else in place of the images whose id `replace` answers for.
pub fn replace_images(html: &str, replace: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece {
            Piece::Tag { text, name, closes: false, .. } if name.eq_ignore_ascii_case("img") => {
                match hosted_id(text).and_then(&replace) {
                    Some(other) => out.push_str(&other),
                    None => out.push_str(text),
                }
            }
            Piece::Tag { text, .. } | Piece::Text(text) => out.push_str(text),
        }
    }
    out
}

/// Puts plain text in place of the `at` elements whose id `keep` does not want.
pub fn drop_mentions(html: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(html.len());
    let mut dropped = 0_u32;
    for piece in pieces(html) {
        match piece {
            Piece::Tag { name, closes: true, .. } if dropped > 0 && name.eq_ignore_ascii_case("at") => dropped -= 1,
            Piece::Tag { text, name, closes: false, .. }
                if name.eq_ignore_ascii_case("at") && !mention_id(text).is_some_and(&keep) =>
            {
                dropped += 1;
            }
            Piece::Tag { text, .. } | Piece::Text(text) => out.push_str(text),
        }
    }
    out
}

fn mention_id(tag: &str) -> Option<&str> {
    let (_, rest) = tag.split_once("id=\"")?;
    rest.split('"').next()
}

/// The ids of the `at` elements of a body.
pub fn mention_ids(html: &str) -> Vec<&str> {
    let tags = pieces(html).into_iter();
    tags.filter_map(|piece| match piece {
        Piece::Tag { text, name, closes: false, .. } if name.eq_ignore_ascii_case("at") => mention_id(text),
        _ => None,
    })
    .collect()
}

/// What a body says, however a service writes it: the names of the tags, where links lead, who is named, and the text with
/// its spaces made one and its common entities read. Images stand for themselves; their bytes are compared apart.
pub fn canonical(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let text_of = |text: &str, out: &mut String| {
        let text = text.replace("&nbsp;", " ").replace("&#160;", " ").replace('\u{a0}', " ");
        let text = text.replace("&quot;", "\"").replace("&#39;", "'").replace("&apos;", "'");
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        for letter in text.chars() {
            if letter.is_whitespace() {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            } else {
                out.push(letter);
            }
        }
    };
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => text_of(text, &mut out),
            Piece::Tag { text, name, closes, .. } => {
                out.push('\u{1}');
                if closes {
                    out.push('/');
                }
                out.push_str(&name.to_ascii_lowercase());
                for attribute in ["href=\"", "id=\""] {
                    if let Some((_, rest)) = text.split_once(attribute) {
                        out.push(' ');
                        let value = rest.split('"').next().unwrap_or_default();
                        text_of(value, &mut out);
                    }
                }
                out.push('\u{2}');
            }
        }
    }
    out.trim().to_owned()
}

/// A text as HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stripped(html: &str) -> String {
        pieces(html)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Text(text) => Some(text),
                Piece::Tag { .. } => None,
            })
            .collect()
    }

    #[test]
    fn a_short_body_stays_as_it_is() {
        assert_eq!(split("<p>hi</p>", 100), ["<p>hi</p>"]);
    }

    #[test]
    fn parts_are_whole_and_hold_the_text() {
        let html = "<div><p>one two three four</p><ul><li><b>five six</b> seven &amp; eight</li></ul></div>";
        let parts = split(html, 60);
        assert!(parts.len() > 1);
        for part in &parts {
            let mut open = Vec::new();
            for piece in pieces(part) {
                if let Piece::Tag { name, closes, is_void: false, .. } = piece {
                    if closes { assert_eq!(open.pop(), Some(name), "{part}") } else { open.push(name) }
                }
            }
            assert!(open.is_empty() && json_length(part) <= 60, "{part}");
        }
        assert_eq!(parts.iter().map(|part| stripped(part)).collect::<String>(), stripped(html));
    }

    #[test]
    fn no_entity_is_cut() {
        for limit in 5..40 {
            for part in split(&"a&amp;b".repeat(10), limit) {
                let rest = part.replace("&amp;", "");
                assert!(!rest.contains('&') && !rest.contains(';'), "{part} at {limit}");
            }
        }
    }

    #[test]
    fn images_and_mentions_are_replaced() {
        let html = r#"<p><at id="0">Bo</at> <at id="1">Al</at><img src="../hostedContents/1/$value" width="3"><img src="x"></p>"#;
        assert_eq!(hosted_ids(html), ["1"]);
        assert_eq!(mention_ids(html), ["0", "1"]);
        let linked = replace_images(html, |id| (id == "1").then(|| "[image]".to_owned()));
        assert_eq!(linked, r#"<p><at id="0">Bo</at> <at id="1">Al</at>[image]<img src="x"></p>"#);
        assert_eq!(drop_mentions(&linked, |id| id == "1"), r#"<p>Bo <at id="1">Al</at>[image]<img src="x"></p>"#);
    }

    #[test]
    fn a_body_is_itself_however_it_is_written() {
        let sent =
            r#"<p>a &amp; b</p><img src="../hostedContents/1/$value"><a href="https://x.example/?a=1&amp;b=2">l</a>"#;
        let read = "<P >a &amp;\n b</P><img width=\"3\" src=\"https://graph.microsoft.com/v1.0/chats/c/messages/1/hostedContents/aW/$value\"><a rel=\"x\" href=\"https://x.example/?a=1&b=2\">l</a>";
        assert_eq!(canonical(sent), canonical(read));
        assert_ne!(canonical(sent), canonical(&sent.replace("a &amp;", "c &amp;")));
        assert_ne!(canonical(sent), canonical(&sent.replace("<p>", "<b>").replace("</p>", "</b>")));
        assert_ne!(canonical(sent), canonical(&sent.replace("b=2", "b=3")));
    }

    proptest! {
        #[test]
        fn whatever_is_split_is_all_there(html in "(<p>|</p>|<b>|</b>|<br>|&lt;|&amp;|[a-zé \"]{1,20}){0,40}", limit in 30_usize..200) {
            let parts = split(&html, limit);
            let joined: String = parts.iter().map(|part| stripped(part)).collect();
            prop_assert_eq!(joined, stripped(&html));
        }
    }
}
