//! Hostile bytes for whatever reads bytes from outside: samples are mutated again and again, those that were taken in are mutated
//! further. Two seconds in an ordinary run, ten minutes with `IRIS_SOAK` set.

use std::time::Duration;

use crate::SeededEntropy;
use crate::wait::Clock;

/// How long an ordinary run takes.
const SHORT: Duration = Duration::from_secs(2);
/// How long a soak takes.
const LONG: Duration = Duration::from_secs(600);
/// Most inputs that are kept to be mutated further.
const POOL_MAX: usize = 512;
/// Longest input.
const BYTES_MAX: usize = 16 << 10;
/// Most mutations of one input.
const MUTATIONS_MAX: u64 = 6;
/// Most repetitions of a piece: what nests or grows without bound shows.
const REPEATS_MAX: u64 = 200;

/// What is fuzzed, and how much memory it may take.
#[derive(Clone, Copy, Debug)]
pub struct Fuzz<'a> {
    /// Stands before the counts that are printed.
    pub name: &'a str,
    /// Inputs to begin with.
    pub samples: &'a [&'a [u8]],
    /// Pieces of the language that single bytes would seldom make.
    pub tokens: &'a [&'a [u8]],
    /// Most megabytes that the process may grow by.
    pub megabytes_max: u64,
}

impl Fuzz<'_> {
    /// Hands mutated inputs to `target`, which answers whether it took one in, until the time is over. The first inputs are the
    /// samples themselves.
    ///
    /// # Panics
    /// Where the target does, after the input was printed; and where more memory was taken than is allowed.
    pub fn run(&self, mut target: impl FnMut(&[u8]) -> bool) {
        let time = if std::env::var_os("IRIS_SOAK").is_some() { LONG } else { SHORT };
        let chance = SeededEntropy::new(seed());
        let (clock, before) = (Clock::start(), peak_megabytes());
        let mut pool: Vec<Vec<u8>> = self.samples.iter().map(|sample| sample.to_vec()).collect();
        let (mut inputs, mut taken) = (0_u64, 0_u64);
        while clock.now() < time {
            let at = usize::try_from(inputs).unwrap_or(usize::MAX);
            let input = self.samples.get(at).map_or_else(|| self.mutated(&chance, &pool), |sample| sample.to_vec());
            let shown = Shown(&input);
            let is_taken = target(&input);
            drop(shown);
            inputs += 1;
            if is_taken {
                taken += 1;
                keep(&chance, &mut pool, input, self.samples.len());
            }
        }
        let grown = peak_megabytes().saturating_sub(before);
        println!("fuzz {}: {inputs} inputs, {taken} taken in, {grown} MB more", self.name);
        assert!(grown <= self.megabytes_max, "{} took {grown} MB, {} are allowed", self.name, self.megabytes_max);
    }

    fn mutated(&self, chance: &SeededEntropy, pool: &[Vec<u8>]) -> Vec<u8> {
        let mut input = one_of(chance, pool).cloned().unwrap_or_default();
        for _ in 0..=chance.below(MUTATIONS_MAX) {
            self.mutate(chance, pool, &mut input);
        }
        input.truncate(BYTES_MAX);
        input
    }

    fn mutate(&self, chance: &SeededEntropy, pool: &[Vec<u8>], input: &mut Vec<u8>) {
        let (from, to) = stretch(chance, input.len());
        match chance.below(8) {
            0 => input.iter_mut().skip(from).take(1).for_each(|byte| *byte ^= 1 << chance.below(8)),
            1 => input.insert(from, chance.next().to_le_bytes()[0]),
            2 => drop(input.drain(from..to)),
            3 => input.truncate(from),
            4 => {
                let piece = input[from..to].to_vec();
                input.splice(from..from, piece);
            }
            5 => {
                let piece = &input[from..to.min(from + 64)];
                let count = usize::try_from(chance.below(REPEATS_MAX)).unwrap_or(0);
                let run = piece.repeat(count);
                input.splice(from..from, run);
            }
            6 => {
                let other = one_of(chance, pool).map_or(&[][..], Vec::as_slice);
                let (start, end) = stretch(chance, other.len());
                input.splice(from..to, other[start..end].iter().copied());
            }
            _ => {
                let token = one_of(chance, self.tokens).copied().unwrap_or_default();
                input.splice(from..from, token.iter().copied());
            }
        }
    }
}

/// Prints an input when the test ends while it is being looked at.
struct Shown<'a>(&'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the input was: {}", String::from_utf8_lossy(self.0).escape_debug());
            println!("its bytes are: {:02x?}", self.0);
        }
    }
}

/// Another seed with `IRIS_FUZZ_SEED`; the same inputs in every run without.
#[allow(clippy::disallowed_methods, reason = "a switch of the developer's shell, not a setting of the product")]
fn seed() -> u64 {
    std::env::var("IRIS_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn one_of<'a, T>(chance: &SeededEntropy, of: &'a [T]) -> Option<&'a T> {
    let count = u64::try_from(of.len()).ok().filter(|count| *count > 0)?;
    of.get(usize::try_from(chance.below(count)).ok()?)
}

/// Two places in a text of so many bytes, in order.
fn stretch(chance: &SeededEntropy, length: usize) -> (usize, usize) {
    let place = || usize::try_from(chance.below(length as u64 + 1)).unwrap_or(length);
    let (one, other) = (place(), place());
    (one.min(other), one.max(other))
}

/// Adds an input to the pool, in the place of another one when it is full; the samples stay.
fn keep(chance: &SeededEntropy, pool: &mut Vec<Vec<u8>>, input: Vec<u8>, samples: usize) {
    if pool.len() < POOL_MAX.max(samples) {
        pool.push(input);
    } else if let Some(place) = (pool.len() as u64).checked_sub(samples as u64).filter(|places| *places > 0) {
        let at = samples + usize::try_from(chance.below(place)).unwrap_or(0);
        pool[at] = input;
    }
}

/// The most memory that this process ever had.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system tells about this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it tells the peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
}
