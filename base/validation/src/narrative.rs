//! Narrative: what R4 allows in it (narrative.html, txt-1 and txt-2). Looked at part by part; nothing is kept.

use iris_xml::{NarrativePart, narrative_parts};

/// The elements of txt-1, and `address`, `bdo` and `kbd`, which the chapters of HTML 4.0 that it names have as well. Sorted.
const ELEMENTS: [&str; 50] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
];
/// Also an element of txt-1.
const VAR: &str = "var";
/// The attributes of txt-1, and the two that XML has for every element. Sorted.
const ATTRIBUTES: [&str; 54] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:base",
    "xml:id",
    "xml:lang",
    "xml:space",
    "xmlns",
];
/// Schemes that run something or carry a document of their own.
const SCHEMES_THAT_RUN: [&str; 6] = ["javascript", "vbscript", "livescript", "mocha", "data", "blob"];
/// What a style must not have: what browsers run or fetch.
const STYLES_THAT_ACT: [&str; 7] =
    ["expression", "javascript", "vbscript", "behavior", "behaviour", "@import", "-moz-binding"];

/// What is wrong with a narrative, at most one of each sort; the texts are ours and repeat nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Not well-formed XML.
    pub malformed: Option<&'static str>,
    /// txt-1: something is in it that R4 does not allow.
    pub unsafe_part: Option<&'static str>,
    /// txt-2: there is nothing to read.
    pub is_empty: bool,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(self) -> bool {
        self == Self::default()
    }
}

/// Looks at the text of a `div`.
#[must_use]
pub fn narrative(div: &str) -> Verdict {
    narrative_with(div, |_| {})
}

/// The same; `each` hears of every `#id` that a link or an image leads to.
pub(crate) fn narrative_with(div: &str, mut each: impl FnMut(&str)) -> Verdict {
    let mut look = Look::default();
    let malformed = narrative_parts(div, |part| {
        look.part(&part);
        if let NarrativePart::Attribute { name: "href" | "src", value } = &part
            && let Some(id) = value.strip_prefix('#')
        {
            each(id);
        }
    })
    .err();
    // What cannot be read is neither empty nor full.
    Verdict { malformed, unsafe_part: look.fault, is_empty: malformed.is_none() && !look.has_content }
}

#[derive(Default)]
struct Look {
    fault: Option<&'static str>,
    has_content: bool,
    is_inside: bool,
    in_image: bool,
}

impl Look {
    fn part(&mut self, part: &NarrativePart<'_>) {
        let fault = match part {
            NarrativePart::Start { name, is_xhtml } => {
                let is_root = !std::mem::replace(&mut self.is_inside, true);
                self.in_image = *name == "img";
                element_fault(name, *is_xhtml, is_root)
            }
            NarrativePart::Attribute { name, value } => {
                self.has_content |= self.in_image && *name == "src" && !value.is_empty();
                attribute_fault(name, value, self.in_image)
            }
            NarrativePart::Text => {
                self.has_content = true;
                None
            }
            NarrativePart::Instruction => Some("Narrative has no processing instructions"),
        };
        if self.fault.is_none() {
            self.fault = fault;
        }
    }
}

fn element_fault(name: &str, is_xhtml: bool, is_root: bool) -> Option<&'static str> {
    if !is_xhtml {
        return Some("Narrative is in the namespace http://www.w3.org/1999/xhtml");
    }
    if is_root && name != "div" {
        return Some("Narrative is one XHTML div element");
    }
    let known = ELEMENTS.binary_search(&name).is_ok() || name == VAR;
    (!known).then_some(
        "Narrative has an element that R4 does not allow: scripts, forms, frames, objects, styles and links to them",
    )
}

fn attribute_fault(name: &str, value: &str, in_image: bool) -> Option<&'static str> {
    if ATTRIBUTES.binary_search(&name).is_err() {
        return Some("Narrative has an attribute that R4 does not allow: event handlers and the like");
    }
    match name {
        "src" if in_image => image_fault(value),
        "href" | "src" | "cite" | "longdesc" | "xml:base" => link_fault(value),
        "style" => style_fault(value),
        _ => None,
    }
}

/// The scheme of a link as a browser reads it: white space and control characters in it do not count.
fn scheme(link: &str) -> Option<String> {
    let read = link.chars().filter(|c| !c.is_control() && !c.is_whitespace());
    let mut scheme = String::new();
    for c in read {
        match c {
            ':' => return Some(scheme),
            c if c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.') => scheme.push(c.to_ascii_lowercase()),
            _ => return None,
        }
    }
    None
}

fn link_fault(link: &str) -> Option<&'static str> {
    let runs = scheme(link).is_some_and(|scheme| SCHEMES_THAT_RUN.contains(&scheme.as_str()));
    runs.then_some("Narrative has a link that would run something")
}

/// Images may be carried along as data, if they are images without scripts of their own.
fn image_fault(link: &str) -> Option<&'static str> {
    let read: String = link.chars().filter(|c| !c.is_control() && !c.is_whitespace()).take(32).collect();
    let read = read.to_ascii_lowercase();
    let is_picture = read.starts_with("data:image/") && !read.starts_with("data:image/svg");
    if is_picture { None } else { link_fault(link) }
}

fn style_fault(style: &str) -> Option<&'static str> {
    const WHAT: &str = "Narrative has a style that would run or fetch something";
    // Escapes and comments would hide what the rest of this looks for.
    if style.contains('\\') || style.contains("/*") {
        return Some("Narrative has a style with escapes or comments");
    }
    let style: String = style.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    if STYLES_THAT_ACT.iter().any(|act| style.contains(act)) {
        return Some(WHAT);
    }
    let mut rest = style.as_str();
    while let Some((_, after)) = rest.split_once("url(") {
        let link = after.trim_start_matches(['"', '\'']);
        if !link.starts_with('#') && !link.starts_with("data:image/") || link.starts_with("data:image/svg") {
            return Some(WHAT);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn div(inside: &str) -> String {
        format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>")
    }

    #[track_caller]
    fn good(inside: &str) {
        assert!(narrative(&div(inside)).is_good(), "{inside}: {:?}", narrative(&div(inside)));
    }

    #[track_caller]
    fn bad(inside: &str) {
        let verdict = narrative(&div(&format!("text {inside}")));
        assert!(verdict.unsafe_part.is_some(), "{inside}: {verdict:?}");
    }

    #[test]
    fn the_lists_are_sorted() {
        assert!(ELEMENTS.is_sorted() && ATTRIBUTES.is_sorted());
    }

    #[test]
    fn what_people_write_is_allowed() {
        good("Hello");
        good("<p>a<br/><b>b</b> &amp; &#160; <i>c</i></p>");
        good(
            "<table border=\"1\"><caption>x</caption><thead><tr><th colspan=\"2\">h</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>",
        );
        good(
            "<a href=\"http://example.org/x?a=b\">x</a><a href=\"#top\">x</a><a name=\"top\">x</a><a href=\"mailto:a@b\">x</a>",
        );
        good("<img src=\"#picture\" alt=\"x\"/>");
        good("<img src=\"data:image/png;base64,AAAA\"/>");
        good(
            "<span style=\"color: red; background: url(#x)\" class=\"y\" id=\"z\" xml:lang=\"de\" lang=\"de\">x</span>",
        );
        good("<!-- a comment --> text");
    }

    #[test]
    fn attack_narrative_scripts_and_active_elements_are_refused() {
        for element in [
            "script", "SCRIPT", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button",
            "textarea", "select", "link", "base", "meta", "head", "body", "html", "style", "svg", "math", "video",
            "audio", "source", "template", "noscript", "map", "area", "font", "center", "marquee", "blink", "ins",
            "del", "isindex", "xml", "slot", "portal", "x-y",
        ] {
            bad(&format!("<{element}>x</{element}>"));
        }
        bad("<s:svg xmlns:s=\"http://www.w3.org/2000/svg\"><s:script>x</s:script></s:svg>");
        bad("<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
        bad("<p xmlns=\"urn:other\">x</p>");
        bad("<?xml-stylesheet href=\"http://evil.example/x.css\"?>");
    }

    #[test]
    fn attack_narrative_event_handlers_are_refused() {
        for handler in [
            "onclick",
            "onClick",
            "onload",
            "onerror",
            "onmouseover",
            "onfocus",
            "onanimationstart",
            "formaction",
            "srcdoc",
            "background",
            "srcset",
            "http-equiv",
            "action",
            "data-x",
            "is",
            "xlink:href",
        ] {
            let declared = if handler.contains(':') { " xmlns:xlink=\"http://www.w3.org/1999/xlink\"" } else { "" };
            bad(&format!("<p{declared} {handler}=\"x\">x</p>"));
        }
    }

    #[test]
    fn attack_narrative_links_that_run_are_refused() {
        for link in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java&#10;script:alert(1)",
            "java&#x9;script:x",
            "&#106;avascript:x",
            "vbscript:x",
            "data:text/html,x",
            "DATA:text/html;base64,AAAA",
            "&#1;javascript:x",
            "blob:x",
            "livescript:x",
        ] {
            // A control character that XML does not have makes the whole malformed.
            let verdict = narrative(&div(&format!("text <a href=\"{link}\">x</a>")));
            assert!(!verdict.is_good(), "{link}");
            let verdict = narrative(&div(&format!("text <img src=\"{link}\"/>")));
            assert!(!verdict.is_good(), "{link}");
        }
        bad("<img src=\"data:image/svg+xml;base64,AAAA\"/>");
        bad("<a href=\"data:image/png;base64,AAAA\">x</a>");
        bad("<q cite=\"javascript:x\">x</q>");
        bad("<p xml:base=\"javascript:x\">x</p>");
    }

    #[test]
    fn attack_narrative_styles_that_act_are_refused() {
        for style in [
            "width: expression(alert(1))",
            "EXPRESSION (x)",
            "background: url(javascript:x)",
            "background:url('http://evil.example/x')",
            "background: u\\72l(http://x)",
            "exp/**/ression(x)",
            "behavior: url(#x)",
            "-moz-binding: url(#x)",
            "@import 'x'",
            "background: url(//evil.example)",
            "background: url( &quot;https://x&quot;)",
            "background:url(#a) url(http://x)",
        ] {
            bad(&format!("<p style=\"{style}\">x</p>"));
        }
    }

    #[test]
    fn attack_narrative_that_is_not_well_formed_is_refused() {
        for text in [
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">x",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">&nbsp;</div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">&lol;</div>",
            "<!DOCTYPE div [<!ENTITY x \"y\">]><div xmlns=\"http://www.w3.org/1999/xhtml\">&x;</div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div><script>y</script>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\" a=\"1\" a=\"2\">x</div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><b onclick=x>x</b></div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">\u{0}</div>",
            "x",
            "",
        ] {
            assert!(narrative(text).malformed.is_some(), "{text}");
        }
        let deep = format!("{}x{}", "<b>".repeat(100_000), "</b>".repeat(100_000));
        assert!(narrative(&div(&deep)).malformed.is_some());
    }

    #[test]
    fn narrative_has_something_to_read() {
        for empty in ["", " ", "\n\t", "<p> </p>", "<!-- x -->", "<br/>", "<img alt=\"x\"/>", "<img src=\"\"/>"] {
            assert!(narrative(&div(empty)).is_empty, "{empty}");
        }
        good("<img src=\"http://example.org/x.png\"/>");
    }

    #[test]
    fn the_namespace_is_needed() {
        assert!(narrative("<div>x</div>").unsafe_part.is_some());
        assert!(narrative("<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>").unsafe_part.is_some());
        assert!(narrative("<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p>x</h:p></h:div>").is_good());
    }
}
