//! One pack as a forest of deltas: every entry below its base. Owns the reading of index, headers and entries; `walk`
//! owns the order in which entries are resolved.

use std::path::Path;

use gix::objs::Kind;
use gix::odb::pack;
use gix::odb::pack::data::entry::Header;
use rayon::prelude::*;

use super::delta::Damage;
use crate::error::{Error, Result};
use crate::subject::Oid;

/// A pack and its index, open.
pub(super) struct Pack {
    data: pack::data::File,
    index: pack::index::File,
}

/// An entry. Nodes are numbered by offset.
struct Node {
    offset: u64,
    /// Its position in the index, which is sorted by id.
    slot: u32,
    base: Base,
}

#[derive(Clone, Copy)]
enum Base {
    /// Stored whole.
    Whole(Kind),
    /// A node of this pack.
    Here(u32),
    /// In another pack, or loose: the header has its id.
    Elsewhere,
}

/// All entries of a pack by offset, with their kinds and the deltas on each.
pub(super) struct PackEntries {
    nodes: Vec<Node>,
    /// The deltas on node `n` are `children[first[n]..first[n + 1]]`.
    first: Vec<u32>,
    children: Vec<u32>,
    /// All nodes by kind, each after its base.
    kinds: [(Kind, Vec<u32>); 4],
}

/// How an entry is stored.
pub(super) enum Stored {
    Whole,
    Delta,
    /// A delta on an object that this pack does not hold.
    DeltaOnOther,
}

/// The wanted objects of one kind in a pack, and the entries that have to be resolved for them.
pub(super) struct Forest<'p> {
    pub pack: &'p Pack,
    entries: &'p PackEntries,
    wanted: Vec<bool>,
    /// The number of wanted entries in the delta tree below each entry, itself included. An entry with 0 is not resolved.
    weight: Vec<u32>,
    /// The entries without a base in this pack, the heaviest first.
    pub roots: Vec<u32>,
}

impl Pack {
    pub fn open(index: &Path, hash: gix::hash::Kind) -> Result<Self> {
        let what =
            |e: &dyn std::fmt::Display| Error::undecided(format!("cannot open the pack {}: {e}", index.display()));
        let data = pack::data::File::at(index.with_extension("pack"), hash).map_err(|e| what(&e))?;
        let pack = Self { data, index: pack::index::File::at(index, hash).map_err(|e| what(&e))? };
        if pack.data.num_objects() != pack.index.num_objects() {
            return Err(what(&"pack and index disagree about the number of objects")
                .hint("`git fsck` says whether the repository is damaged"));
        }
        Ok(pack)
    }

    pub fn len(&self) -> u32 {
        self.index.num_objects()
    }

    /// The id of an entry by its position in the index.
    pub fn id(&self, slot: u32) -> &gix::hash::oid {
        self.index.oid_at_index(slot)
    }

    /// The offset of an object's compressed data, if it is not a delta.
    pub fn stored_whole(&self, id: Oid) -> Result<Option<u64>> {
        let Some(slot) = self.index.lookup(super::super::gix_id(id)) else { return Ok(None) };
        let offset = self.index.pack_offset_at_index(slot);
        let entry = self.entry(offset).map_err(|why| self.damaged(offset, &why))?;
        Ok((!entry.header.is_delta()).then_some(entry.data_offset))
    }

    /// Closes the pack and keeps the index.
    pub fn into_index(self) -> pack::index::File {
        self.index
    }

    fn entry(&self, offset: u64) -> Result<pack::data::Entry, Damage> {
        if offset >= self.data.data_len() as u64 {
            return Err(Damage("the index points beyond the pack"));
        }
        self.data.entry(offset).map_err(|_| Damage("the header of an entry cannot be read"))
    }

    fn named_base(&self, offset: u64) -> Result<Oid, Damage> {
        match self.entry(offset)?.header {
            Header::RefDelta { base_id } => Ok(super::super::oid(&base_id)),
            _ => Err(Damage("an entry names no base")),
        }
    }

    pub fn damaged(&self, offset: u64, why: &Damage) -> Error {
        Error::undecided(format!("pack {} is damaged at offset {offset}: {why}", self.data.path().display()))
            .hint("`git fsck` says what is lost; a fresh clone may have it")
    }

    fn header(&self, offset: u64, order: &[(u64, u32)], at_slot: &[u32]) -> Result<Base, Damage> {
        let entry = self.entry(offset)?;
        Ok(match entry.header {
            Header::Commit => Base::Whole(Kind::Commit),
            Header::Tree => Base::Whole(Kind::Tree),
            Header::Blob => Base::Whole(Kind::Blob),
            Header::Tag => Base::Whole(Kind::Tag),
            Header::OfsDelta { base_distance } => {
                let base = offset.checked_sub(base_distance).filter(|_| base_distance > 0);
                let base = base.and_then(|base| order.binary_search_by_key(&base, |(offset, _)| *offset).ok());
                Base::Here(base.ok_or(Damage("a delta stands on no entry"))? as u32)
            }
            Header::RefDelta { base_id } => match self.index.lookup(base_id) {
                Some(slot) => Base::Here(at_slot[slot as usize]),
                None => Base::Elsewhere,
            },
        })
    }
}

impl PackEntries {
    /// `kind`: looks up the kind of a base that is elsewhere.
    pub fn of(pack: &Pack, kind: impl Fn(Oid) -> Result<Kind>) -> Result<Self> {
        let place = |slot| (pack.index.pack_offset_at_index(slot), slot);
        let mut order: Vec<(u64, u32)> = (0..pack.len()).into_par_iter().with_min_len(4096).map(place).collect();
        order.par_sort_unstable();
        let mut at_slot = vec![0; order.len()];
        for (at, (_, slot)) in order.iter().enumerate() {
            at_slot[*slot as usize] = at as u32;
        }
        let node = |(offset, slot): &(u64, u32)| {
            let base = pack.header(*offset, &order, &at_slot).map_err(|why| pack.damaged(*offset, &why))?;
            Ok(Node { offset: *offset, slot: *slot, base })
        };
        let nodes: Vec<Node> = order.par_iter().with_min_len(4096).map(node).collect::<Result<_>>()?;
        drop((order, at_slot));
        Self::link(pack, nodes, kind)
    }

    fn link(pack: &Pack, nodes: Vec<Node>, kind: impl Fn(Oid) -> Result<Kind>) -> Result<Self> {
        let mut first = vec![0u32; nodes.len() + 2];
        for node in &nodes {
            if let Base::Here(base) = node.base {
                first[base as usize + 2] += 1;
            }
        }
        for at in 1..first.len() {
            first[at] += first[at - 1];
        }
        let mut children = vec![0u32; first[nodes.len() + 1] as usize];
        let mut kinds = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag].map(|kind| (kind, Vec::new()));
        for (at, node) in nodes.iter().enumerate() {
            let its = match node.base {
                Base::Here(base) => {
                    let place = &mut first[base as usize + 1];
                    children[*place as usize] = at as u32;
                    *place += 1;
                    continue;
                }
                Base::Whole(kind) => kind,
                Base::Elsewhere => {
                    let named = pack.named_base(node.offset).map_err(|why| pack.damaged(node.offset, &why))?;
                    kind(named)?
                }
            };
            kinds.iter_mut().filter(|(kind, _)| *kind == its).for_each(|(_, roots)| roots.push(at as u32));
        }
        let mut entries = Self { nodes, first, children, kinds };
        entries.sort_by_depth(pack)?;
        Ok(entries)
    }

    /// Adds all deltas after the entries without a base, level by level.
    fn sort_by_depth(&mut self, pack: &Pack) -> Result<()> {
        for kind in 0..self.kinds.len() {
            let mut order = std::mem::take(&mut self.kinds[kind].1);
            let mut at = 0;
            while at < order.len() {
                order.extend_from_slice(self.deltas_on(order[at]));
                at += 1;
            }
            self.kinds[kind].1 = order;
        }
        if self.kinds.iter().map(|(_, order)| order.len()).sum::<usize>() < self.nodes.len() {
            let mut met = vec![false; self.nodes.len()];
            self.kinds.iter().flat_map(|(_, order)| order).for_each(|node| met[*node as usize] = true);
            let lost = met.iter().position(|met| !met).unwrap_or_default();
            return Err(pack.damaged(self.nodes[lost].offset, &Damage("deltas stand on each other in a circle")));
        }
        Ok(())
    }

    /// The position in the index and the kind of every entry.
    pub fn kinds(&self) -> impl Iterator<Item = (u32, Kind)> {
        self.kinds
            .iter()
            .flat_map(move |(kind, order)| order.iter().map(move |node| (self.nodes[*node as usize].slot, *kind)))
    }

    /// The deltas on an entry.
    fn deltas_on(&self, node: u32) -> &[u32] {
        &self.children[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }

    /// The entries of a kind, each after its base.
    fn of_kind(&self, kind: Kind) -> &[u32] {
        self.kinds.iter().find(|(its, _)| *its == kind).map_or(&[], |(_, order)| order)
    }
}

impl<'p> Forest<'p> {
    /// `wanted` is called with the id of every entry of the kind.
    pub fn new(
        pack: &'p Pack,
        entries: &'p PackEntries,
        kind: Kind,
        wanted: &(impl Fn(&gix::hash::oid) -> bool + Sync),
    ) -> Self {
        let order = entries.of_kind(kind);
        let is_wanted = |node: &u32| wanted(pack.id(entries.nodes[*node as usize].slot));
        let by_node: Vec<bool> = order.par_iter().with_min_len(4096).map(is_wanted).collect();
        let mut wanted = vec![false; entries.nodes.len()];
        let mut weight = vec![0; entries.nodes.len()];
        let mut roots = Vec::new();
        for (node, is_wanted) in order.iter().zip(by_node).rev() {
            wanted[*node as usize] = is_wanted;
            // All deltas on it were counted before, as the order is reversed.
            weight[*node as usize] += u32::from(is_wanted);
            match entries.nodes[*node as usize].base {
                Base::Here(base) => weight[base as usize] += weight[*node as usize],
                _ if weight[*node as usize] > 0 => roots.push(*node),
                _ => {}
            }
        }
        roots.sort_unstable_by_key(|root| (std::cmp::Reverse(weight[*root as usize]), *root));
        Self { pack, entries, wanted, weight, roots }
    }

    /// Lists the deltas on an entry that have to be resolved, the lightest first.
    pub fn deltas_on(&self, node: u32, out: &mut Vec<u32>) {
        out.clear();
        out.extend(self.entries.deltas_on(node).iter().filter(|child| self.weight[**child as usize] > 0));
        out.sort_unstable_by_key(|child| (self.weight[*child as usize], *child));
    }

    pub fn is_wanted(&self, node: u32) -> bool {
        self.wanted[node as usize]
    }

    /// The number of wanted entries.
    pub fn total(&self) -> u64 {
        self.roots.iter().map(|r| u64::from(self.weight[*r as usize])).sum()
    }

    pub fn slot(&self, node: u32) -> u32 {
        self.entries.nodes[node as usize].slot
    }

    pub fn stored(&self, node: u32) -> Stored {
        match self.entries.nodes[node as usize].base {
            Base::Whole(_) => Stored::Whole,
            Base::Here(_) => Stored::Delta,
            Base::Elsewhere => Stored::DeltaOnOther,
        }
    }

    /// The base that an entry's header names.
    pub fn named_base(&self, node: u32) -> Result<Oid, Damage> {
        self.pack.named_base(self.entries.nodes[node as usize].offset)
    }

    pub fn damaged(&self, node: u32, why: &Damage) -> Error {
        self.pack.damaged(self.entries.nodes[node as usize].offset, why)
    }

    /// Inflates an entry, the object or its delta, after comparing it with the index's checksum. `false`: it is larger
    /// than `most` bytes.
    pub fn inflate(
        &self,
        node: u32,
        most: usize,
        inflate: &mut gix::zlib::Inflate,
        out: &mut Vec<u8>,
    ) -> Result<bool, Damage> {
        let Node { offset, slot, .. } = self.entries.nodes[node as usize];
        let pack = &self.pack.data;
        let entry = self.pack.entry(offset)?;
        if entry.decompressed_size > most as u64 {
            return Ok(false);
        }
        let end = self.entries.nodes.get(node as usize + 1).map_or(pack.pack_end() as u64, |next| next.offset);
        let raw = pack.entry_slice(offset..end).ok_or(Damage("an entry reaches beyond the pack"))?;
        if self.pack.index.crc32_at_index(slot).is_some_and(|sum| sum != crc32fast::hash(raw)) {
            return Err(Damage("an entry is not what the index says"));
        }
        // zlib compresses to no less than a thousandth, so a larger claim is false.
        let size = usize::try_from(entry.decompressed_size).ok().filter(|size| size / 1100 <= raw.len());
        let size = size.ok_or(Damage("an entry claims an impossible size"))?;
        out.clear();
        out.try_reserve(size).map_err(|_| Damage("an entry is larger than memory"))?;
        out.resize(size, 0);
        pack.decompress_entry(&entry, inflate, out).map(|_| true).map_err(|_| Damage("an entry cannot be inflated"))
    }
}
