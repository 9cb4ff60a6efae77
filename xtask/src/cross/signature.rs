//! The code signature of a Mac executable. Apple Silicon starts nothing whose signature is missing or stale, and says only
//! "killed"; no Mac is needed to find that out.
//!
//! Checked is what the kernel checks of an ad-hoc signature: that there is one, and that the SHA-256 of every page is the
//! one written down.

use object::macho::{CS_HASHTYPE_SHA256, LC_CODE_SIGNATURE};
use object::read::macho::{CodeDirectory, LoadCommandVariant, MachOFile64};
use object::{BigEndian, Endianness};
use sha2::{Digest, Sha256};

/// Verifies the signature of a Mach-O image.
///
/// # Errors
/// There is no signature, or it does not fit the bytes; the message says where.
pub(crate) fn verify(image: &[u8]) -> Result<(), String> {
    let (signature_start, directories) = directories(image).map_err(|error| format!("its signature: {error}"))?;
    let with_sha256 = |directory: &&CodeDirectory<'_>| directory.header().hash_type == CS_HASHTYPE_SHA256;
    let directory = directories.iter().find(with_sha256).ok_or("it has no signature with SHA-256")?;
    if directory.code_limit() != signature_start {
        return Err(format!("{} bytes are signed, not the {signature_start} before it", directory.code_limit()));
    }
    pages(directory, image)
}

/// Where the signature begins, and the lists of hashes it holds.
fn directories(image: &[u8]) -> object::Result<(u64, Vec<CodeDirectory<'_>>)> {
    let file = MachOFile64::<Endianness>::parse(image)?;
    let mut found = (0, Vec::new());
    for command in file.macho_load_commands()? {
        let command = command?;
        if let LoadCommandVariant::LinkeditData(place) = command.variant()?
            && command.cmd() == LC_CODE_SIGNATURE
        {
            found.0 = place.dataoff.get(file.endian()).into();
            for blob in place.code_signature(file.endian(), image)?.blobs() {
                found.1.extend(blob?.code_directory()?);
            }
        }
    }
    Ok(found)
}

/// Compares every page with its hash.
fn pages(directory: &CodeDirectory<'_>, image: &[u8]) -> Result<(), String> {
    let limit = usize::try_from(directory.code_limit()).map_err(|_| "it is larger than memory".to_owned())?;
    let signed = image.get(..limit).ok_or("its signature covers more than there is")?;
    // A size of 0 would mean one hash for everything; no linker writes that.
    let page_size = 1_usize.checked_shl(directory.header().page_size.into()).ok_or("its pages have no size")?;
    let count = directory.header().n_code_slots.get(BigEndian);
    if usize::try_from(count).ok() != Some(signed.len().div_ceil(page_size)) {
        return Err(format!("its signature has {count} hashes for {} bytes in pages of {page_size}", signed.len()));
    }
    for (number, page) in (0..count).zip(signed.chunks(page_size)) {
        let written = directory.code_hash(number).map_err(|error| format!("page {number}: {error}"))?;
        if Sha256::digest(page).as_slice() != written {
            return Err(format!("page {number} of {count} was changed after it was signed"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{pages, verify};
    use object::read::macho::CodeDirectory;
    use sha2::{Digest, Sha256};

    const PAGE_SIZE_LOG2: u8 = 12;

    /// A code directory as Apple's `cs_blobs.h` lays it out (version 0x20000): a header of 44 bytes, an identifier, hashes.
    fn signed(image: &[u8]) -> Vec<u8> {
        let hashes: Vec<u8> =
            image.chunks(1 << PAGE_SIZE_LOG2).flat_map(|page| Sha256::digest(page).to_vec()).collect();
        let header = 44;
        let identifier = b"puma\0";
        let first_hash = header + identifier.len();
        let numbers = [
            0xfade_0c02,
            first_hash + hashes.len(),
            0x2_0000,
            2,
            first_hash,
            header,
            0,
            image.len().div_ceil(1 << PAGE_SIZE_LOG2),
            image.len(),
        ];
        let mut blob: Vec<u8> = numbers.iter().flat_map(|n| u32::try_from(*n).expect("small").to_be_bytes()).collect();
        blob.extend([32, 2, 0, PAGE_SIZE_LOG2, 0, 0, 0, 0]);
        blob.extend(identifier);
        blob.extend(hashes);
        blob
    }

    #[test]
    fn every_changed_byte_is_found_in_its_page() {
        let image: Vec<u8> = (0..10_000_u32).map(|n| ((n * 31) >> 3) as u8).collect();
        let blob = signed(&image);
        let directory = CodeDirectory::parse(&blob).expect("laid out as Apple does");
        pages(&directory, &image).expect("nothing was changed");
        for place in [0, 4095, 4096, 8191, 8192, 9999] {
            let mut changed = image.clone();
            changed[place] ^= 1;
            let error = pages(&directory, &changed).expect_err("one bit differs");
            assert!(error.starts_with(&format!("page {} of 3", place / 4096)), "{error}");
        }
        pages(&directory, &image[..9_999]).expect_err("a byte is missing");
    }

    #[test]
    fn a_file_without_signature_is_told() {
        let mut header = 0xfeed_facf_u32.to_le_bytes().to_vec();
        header.extend([0x0100_000c_u32, 0, 2, 0, 0, 0, 0].iter().flat_map(|n| n.to_le_bytes()));
        assert_eq!(verify(&header), Err("it has no signature with SHA-256".to_owned()));
        assert!(verify(b"no Mach-O file").is_err());
    }
}
