//! Decrypting a container of an OpenPGP message (specification, section "Algorithms" of chapter
//! "Security").

use sequoia_openpgp as openpgp;

use openpgp::crypto::SessionKey;
use openpgp::packet::{Packet, SEIP};
use openpgp::parse::PacketParser;
use openpgp::parse::buffered_reader::BufferedReader as _;
use openpgp::types::SymmetricAlgorithm;

/// The octets of a container of version 1 that holds nothing: a block and its last two octets
/// again, and the packet with the modification detection code. The library panics on less.
const EMPTY: usize = 16 + 2 + 22;

/// Decrypts the container at which a parser stands.
pub(super) fn decrypt(
    parser: &mut PacketParser<'_>,
    algorithm: Option<SymmetricAlgorithm>,
    key: &SessionKey,
) -> openpgp::Result<()> {
    if matches!(parser.packet, Packet::SEIP(SEIP::V1(_))) {
        parser.data_hard(EMPTY)?;
    }
    parser.decrypt(algorithm, key)
}
