//! Making media fit to be sent: pictures lose their metadata and get a thumbnail (specification,
//! section "Media" of chapter "Posts to friends").
//!
//! Only JPEG and PNG are decoded, with bounds; everything else goes as it is.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use kith_core::agent::media::{Attachment, Content, Preview};
use kith_spec::{limit, req};

/// The longest side of a thumbnail, in pixels.
const THUMBNAIL_SIDE: u32 = 320;
/// The largest picture that is decoded, in pixels a side.
const LARGEST_SIDE: u32 = 20_000;
/// The most memory that decoding may take, in octets.
const DECODED_OCTETS: u64 = 512 * 1024 * 1024;
/// The quality of a picture that has to be written anew.
const QUALITY: u8 = 90;

/// Why a file can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A picture that can't be read, so that its metadata can't be removed.
    #[error(
        "the picture can't be read ({0}); send it as application/octet-stream if it shall go as it is"
    )]
    Picture(String),
}

/// An attachment of a file's octets. Pictures are turned upright, lose what tells place and device
/// unless it is wanted, and get a thumbnail.
///
/// # Errors
///
/// [`MediaError`] for a picture that can't be read.
pub fn prepare(
    octets: Vec<u8>,
    media_type: &str,
    keep_metadata: bool,
) -> Result<Attachment, MediaError> {
    kith_core::implements!(req::MEDIA_METADATA);
    let attachment = Attachment {
        media_type: media_type.to_owned(),
        ..Attachment::default()
    };
    let format = match media_type {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        _ => {
            return Ok(Attachment {
                content: Content::Octets(octets),
                ..attachment
            });
        }
    };
    let (picture, turned) = decode(&octets, format)?;
    let octets = if keep_metadata {
        octets
    } else if turned {
        encode(&picture, format, QUALITY)?
    } else {
        match format {
            ImageFormat::Jpeg => plain_jpeg(&octets),
            _ => plain_png(&octets),
        }
        .ok_or_else(|| MediaError::Picture("its parts don't fit together".to_owned()))?
    };
    let side = |side: u32| u16::try_from(side).ok();
    Ok(Attachment {
        dimensions: side(picture.width()).zip(side(picture.height())),
        thumbnail: thumbnail(&picture, octets.len())?,
        content: Content::Octets(octets),
        ..attachment
    })
}

fn unreadable(error: impl std::fmt::Display) -> MediaError {
    MediaError::Picture(error.to_string())
}

/// The picture, upright, and whether it had to be turned.
fn decode(octets: &[u8], format: ImageFormat) -> Result<(DynamicImage, bool), MediaError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(DECODED_OCTETS);
    let mut reader = ImageReader::with_format(Cursor::new(octets), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    Ok((picture, orientation != Orientation::NoTransforms))
}

fn encode(picture: &DynamicImage, format: ImageFormat, quality: u8) -> Result<Vec<u8>, MediaError> {
    let mut octets = Cursor::new(Vec::new());
    if format == ImageFormat::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut octets, quality);
        picture
            .to_rgb8()
            .write_with_encoder(encoder)
            .map_err(unreadable)?;
    } else {
        picture.write_to(&mut octets, format).map_err(unreadable)?;
    }
    Ok(octets.into_inner())
}

/// A thumbnail, unless the picture is as small as one.
fn thumbnail(picture: &DynamicImage, size: usize) -> Result<Option<Preview>, MediaError> {
    let small = picture.width() <= THUMBNAIL_SIDE && picture.height() <= THUMBNAIL_SIDE;
    if small && size as u64 <= limit::THUMBNAIL_OCTETS {
        return Ok(None);
    }
    let reduced = picture.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE);
    for quality in [75, 50, 25] {
        let octets = encode(&reduced, ImageFormat::Jpeg, quality)?;
        if octets.len() as u64 <= limit::THUMBNAIL_OCTETS {
            let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
            return Ok(Some(Preview {
                octets,
                media_type: "image/jpeg".to_owned(),
                dimensions: (side(reduced.width()), side(reduced.height())),
            }));
        }
    }
    Ok(None)
}

/// A JPEG without application data and comments, but for the colour profile (APP2), the density
/// (APP0) and what decoders need (APP14). `None` if its segments don't fit together.
fn plain_jpeg(octets: &[u8]) -> Option<Vec<u8>> {
    let mut plain = octets.get(..2)?.to_vec();
    let mut rest = &octets[2..];
    loop {
        let [0xFF, marker, high, low, ..] = *rest else {
            return None;
        };
        // Fill octets before a marker.
        if marker == 0xFF {
            rest = &rest[1..];
            continue;
        }
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(..length)?;
        let drop = matches!(marker, 0xE1 | 0xE3..=0xED | 0xEF | 0xFE);
        if !drop {
            plain.extend(segment);
        }
        rest = &rest[length..];
        if marker == 0xDA {
            // The picture itself; what stands behind its end is left out.
            let end = rest.windows(2).rposition(|pair| pair == [0xFF, 0xD9])?;
            plain.extend(&rest[..end + 2]);
            return Some(plain);
        }
    }
}

/// A PNG without texts, time and Exif. `None` if its chunks don't fit together.
fn plain_png(octets: &[u8]) -> Option<Vec<u8>> {
    let mut plain = octets.get(..8)?.to_vec();
    let mut rest = &octets[8..];
    loop {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?);
        let length = usize::try_from(length).ok()?.checked_add(12)?;
        let chunk = rest.get(..length)?;
        let kind = &chunk[4..8];
        if ![b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"]
            .iter()
            .any(|name| kind == *name)
        {
            plain.extend(chunk);
        }
        rest = &rest[length..];
        if kind == b"IEND" {
            return Some(plain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let pixel = |x: u32, y: u32| image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 7]);
        let picture = image::RgbImage::from_fn(width, height, pixel);
        encode(&DynamicImage::ImageRgb8(picture), format, 80).unwrap()
    }

    /// A JPEG with an Exif segment that says how it lies, and a place.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        exif.extend(b"48.2082N 16.3738E");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
    }

    fn octets(attachment: &Attachment) -> &[u8] {
        match &attachment.content {
            Content::Octets(octets) => octets,
            Content::Linked { .. } => panic!("not linked"),
        }
    }

    fn holds(octets: &[u8], text: &[u8]) -> bool {
        octets.windows(text.len()).any(|window| window == text)
    }

    #[test]
    fn a_jpeg_loses_its_place_and_nothing_else() {
        let clean = picture(640, 480, ImageFormat::Jpeg);
        let found = prepare(with_exif(&clean, 1), "image/jpeg", false).unwrap();
        assert_eq!(octets(&found), clean);
        assert_eq!(found.dimensions, Some((640, 480)));
        let preview = found.thumbnail.unwrap();
        assert_eq!(preview.dimensions, (320, 240));
        assert!(preview.octets.len() < 65_536);
        let kept = prepare(with_exif(&clean, 1), "image/jpeg", true).unwrap();
        assert!(holds(octets(&kept), b"48.2082N"));
    }

    #[test]
    fn a_picture_that_lies_on_its_side_is_turned() {
        let lying = with_exif(&picture(640, 480, ImageFormat::Jpeg), 6);
        let found = prepare(lying, "image/jpeg", false).unwrap();
        assert_eq!(found.dimensions, Some((480, 640)));
        assert!(!holds(octets(&found), b"48.2082N"));
    }

    #[test]
    fn a_png_loses_its_texts() {
        let clean = picture(20, 10, ImageFormat::Png);
        // A text chunk after the header; decoders skip a wrong checksum of such a chunk.
        let text = b"Comment\0at home";
        let mut chunk = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        chunk.extend(b"tEXt");
        chunk.extend(text);
        chunk.extend([0; 4]);
        let marked = [&clean[..33], &chunk, &clean[33..]].concat();
        assert_eq!(plain_png(&marked).unwrap(), clean);
        let found = prepare(clean, "image/png", false).unwrap();
        assert!(found.thumbnail.is_none());
    }

    #[test]
    fn what_is_no_picture_is_refused_or_left_alone() {
        assert!(prepare(b"<svg/>".to_vec(), "image/jpeg", false).is_err());
        let file = prepare(b"<svg/>".to_vec(), "image/svg+xml", false).unwrap();
        assert_eq!(octets(&file), b"<svg/>");
        assert_eq!(plain_jpeg(&[0xFF, 0xD8, 0xFF]), None);
        assert_eq!(plain_png(&[0; 9]), None);
    }
}
