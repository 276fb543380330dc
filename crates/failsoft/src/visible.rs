//! What a terminal must not be given as it stands.

/// Whether a character would control a terminal, hide in it, or turn its text around. Texts of strangers are shown
/// with these escaped or replaced.
///
/// ```
/// assert!(failsoft::visible::is_hidden('\u{1b}') && failsoft::visible::is_hidden('\u{202e}'));
/// assert!(!failsoft::visible::is_hidden('\u{e4}'));
/// ```
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
