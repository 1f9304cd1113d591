//! Passwords that can be read out and typed: four words and a number.

use iris_kernel::{Entropy, Secret};
use zeroize::Zeroizing;

/// As many words as a byte has values, so that each byte of chance is one of them. Four words and three digits are 42 bits: far
/// more than the throttle of sign-ins lets anybody try.
const WORDS: [&str; 256] = [
    "acorn", "alder", "amber", "anchor", "apple", "apron", "arrow", "aspen", "atlas", "autumn", "badge", "bagel",
    "bamboo", "banjo", "barley", "basil", "beacon", "beaver", "bench", "berry", "birch", "bison", "bloom", "bonnet",
    "border", "bottle", "branch", "bread", "breeze", "brick", "bridge", "bronze", "brook", "broom", "bucket", "butter",
    "button", "cabin", "cactus", "camel", "candle", "canoe", "canyon", "carbon", "cargo", "carrot", "castle", "cedar",
    "cello", "chalk", "cherry", "chess", "cider", "cinder", "circle", "citrus", "clay", "cliff", "clock", "cloud",
    "clover", "cobalt", "coffee", "comet", "copper", "coral", "cotton", "cove", "crane", "crater", "creek", "cricket",
    "crow", "cumin", "curtain", "daisy", "dawn", "delta", "denim", "desert", "dewdrop", "dolphin", "donkey", "drum",
    "dune", "eagle", "earth", "easel", "echo", "elbow", "ember", "emerald", "engine", "fable", "falcon", "feather",
    "fennel", "fern", "fiddle", "field", "finch", "flame", "flint", "flute", "forest", "fossil", "fox", "frost",
    "galaxy", "garden", "garlic", "ginger", "glacier", "globe", "goose", "granite", "grape", "gravel", "hammer",
    "harbor", "harvest", "hazel", "heron", "hickory", "honey", "horizon", "hornet", "iceberg", "indigo", "iron",
    "island", "ivory", "ivy", "jacket", "jasmine", "jelly", "jungle", "juniper", "kayak", "kernel", "kettle", "kite",
    "kiwi", "ladder", "lagoon", "lantern", "larch", "laurel", "lemon", "lily", "lime", "linen", "lizard", "lotus",
    "lunar", "magnet", "mango", "maple", "marble", "marsh", "meadow", "melon", "mint", "mirror", "mitten", "moose",
    "mosaic", "moss", "muffin", "mustard", "napkin", "nectar", "needle", "noodle", "nutmeg", "oasis", "oatmeal",
    "ocean", "olive", "onion", "orbit", "orchard", "otter", "oyster", "paddle", "panda", "paper", "parrot", "pasta",
    "pebble", "pecan", "pepper", "piano", "pigeon", "pine", "planet", "plum", "pocket", "pollen", "poppy", "prairie",
    "puffin", "pumpkin", "quartz", "quill", "rabbit", "radish", "rain", "raven", "ribbon", "ripple", "river", "robin",
    "rocket", "rope", "ruby", "saddle", "saffron", "sage", "salmon", "sand", "sapphire", "saturn", "scarf", "sesame",
    "shadow", "shell", "silver", "sketch", "sparrow", "spice", "spruce", "squash", "stone", "storm", "summit",
    "sunset", "tango", "teapot", "thistle", "thunder", "tiger", "timber", "topaz", "tulip", "tundra", "turnip",
    "umber", "valley", "vanilla", "velvet", "violet", "walnut", "willow", "winter", "zebra",
];
const WORDS_OF_A_PASSWORD: usize = 4;

/// A password.
pub(super) fn password(entropy: &dyn Entropy) -> Secret<String> {
    let mut bytes = Zeroizing::new([0; WORDS_OF_A_PASSWORD + 4]);
    entropy.fill(bytes.as_mut());
    let (words, number) = bytes.split_at(WORDS_OF_A_PASSWORD);
    let number = number.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) % 1_000;
    let mut text = String::new();
    for byte in words {
        text.push_str(WORDS[usize::from(*byte)]);
        text.push('-');
    }
    text.push_str(&format!("{number:03}"));
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;

    use super::*;

    #[test]
    fn words_are_short_plain_and_there_once() {
        assert!(WORDS.iter().all(|word| word.len() <= 8 && word.bytes().all(|byte| byte.is_ascii_lowercase())));
        assert!(WORDS.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_password_can_be_read_out() {
        let entropy = SeededEntropy::new(1);
        let one = password(&entropy);
        let parts: Vec<&str> = one.expose().split('-').collect();
        assert!(parts.len() == 5 && parts[4].len() == 3, "{parts:?}");
        assert_ne!(one.expose(), password(&entropy).expose());
    }
}
