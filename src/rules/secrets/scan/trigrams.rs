//! The tables behind the prefilter: which keyword can stand where, judged by three bytes at a time.
//! Shared with `build.rs`, which lays the built-in tables out at build time; it must not name the rest of the crate.
//!
//! Every keyword is found by one of its trigrams, its anchor, the rarest. Bytes are folded to five bits (`b & 31`
//! makes `A` and `a` one), so a trigram is a number below 2^15. The filter is asked about two trigrams at a time: four
//! neighbouring bytes are hashed to 20 bits, and a bit is set where either trigram is an anchor. That needs one lookup for
//! two bytes of text: first whether the byte of the filter has any bit (fast, and mostly no), then whether it has this one.

/// Bytes of the filter; its bits stand for hashes of four folded bytes.
pub const FILTER: usize = 1 << 17;
/// Slots of the hash from trigram to anchors.
pub const SLOTS: usize = 1 << 12;
/// No anchors in this slot.
pub const NONE: u16 = u16::MAX;

/// A trigram, and the keyword that it betrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// Three folded bytes, the first in the low bits.
    pub gram: u16,
    pub keyword: u16,
    /// Where in the keyword the trigram starts.
    pub offset: u8,
    /// The first eight bytes of the keyword, each with the bit that a capital letter lacks; of a shorter one, zeroes behind it.
    pub head: u64,
    /// Which bits of those eight bytes are the keyword's.
    pub mask: u64,
}

impl Anchor {
    fn new(gram: u16, number: usize, offset: usize, keyword: &[u8]) -> Self {
        let mut head = [0; 8];
        let mut mask = [0; 8];
        for (at, byte) in keyword.iter().take(8).enumerate() {
            head[at] = byte | CASE as u8;
            mask[at] = 0xff;
        }
        let (head, mask) = (u64::from_le_bytes(head), u64::from_le_bytes(mask));
        Self { gram, keyword: number as u16, offset: offset as u8, head, mask }
    }

    /// Whether the keyword can start with these eight bytes.
    #[inline(always)]
    pub fn may_start(&self, eight: u64) -> bool {
        ((eight | CASE) ^ self.head) & self.mask == 0
    }
}

/// The bit that small letters have and capitals have not, in eight bytes.
const CASE: u64 = 0x2020_2020_2020_2020;

/// What [`tables`] makes of a list of keywords.
pub struct Tables {
    pub filter: Vec<u8>,
    /// Index of the first anchor of a trigram, or [`NONE`]; open addressing from [`slot`].
    pub slots: Vec<u16>,
    /// Sorted by trigram.
    pub anchors: Vec<Anchor>,
}

/// The bit of the filter that stands for four neighbouring bytes, the first in the low bits of the number.
#[inline(always)]
pub fn window(bytes: u32) -> usize {
    ((bytes & 0x1f1f_1f1f).wrapping_mul(0x9e37_79b1) >> 12) as usize
}

/// The number of a trigram.
#[inline]
pub fn gram(bytes: &[u8]) -> u16 {
    u16::from(bytes[0] & 31) | u16::from(bytes[1] & 31) << 5 | u16::from(bytes[2] & 31) << 10
}

/// Where the search for a trigram's anchors starts.
#[inline]
pub fn slot(gram: u16) -> usize {
    (u32::from(gram).wrapping_mul(0x9e37_79b1) >> 20) as usize
}

/// Lays out the tables. Keywords have at least three bytes; there are fewer than 65535 of them, and fewer than [`SLOTS`]
/// distinct anchors.
pub fn tables(keywords: &[&[u8]]) -> Tables {
    let mut filter = vec![0u8; FILTER];
    let mut set = |bytes: [u8; 4]| {
        let bit = window(u32::from_le_bytes(bytes));
        filter[bit >> 3] |= 1 << (bit & 7);
    };
    let mut anchors = Vec::with_capacity(keywords.len());
    for (number, keyword) in keywords.iter().enumerate() {
        let offset = rarest(keyword);
        let [a, b, c] = [keyword[offset], keyword[offset + 1], keyword[offset + 2]];
        // The neighbour, where it is part of the keyword, narrows the window; otherwise any byte may stand there.
        match keyword.get(offset + 3) {
            Some(next) => set([a, b, c, *next]),
            None => (0..32).for_each(|any| set([a, b, c, any])),
        }
        match offset.checked_sub(1) {
            Some(before) => set([keyword[before], a, b, c]),
            None => (0..32).for_each(|any| set([any, a, b, c])),
        }
        anchors.push(Anchor::new(gram(&keyword[offset..]), number, offset, keyword));
    }
    anchors.sort_unstable();
    let mut slots = vec![NONE; SLOTS];
    for (at, anchor) in anchors.iter().enumerate() {
        if at > 0 && anchors[at - 1].gram == anchor.gram {
            continue;
        }
        let mut slot = slot(anchor.gram);
        while slots[slot] != NONE {
            slot = (slot + 1) % SLOTS;
        }
        slots[slot] = at as u16;
    }
    Tables { filter, slots, anchors }
}

/// The offset of the trigram least likely in ordinary text.
fn rarest(keyword: &[u8]) -> usize {
    let cost = |offset: usize| {
        let here = gram(&keyword[offset..]);
        let rank = COMMON.as_bytes().chunks_exact(3).position(|common| gram(common) == here);
        let likely: usize = keyword[offset..offset + 3].iter().map(|b| likelihood(*b)).sum();
        // A missing neighbour sets 32 bits instead of one.
        let open = usize::from(offset == 0) + usize::from(offset + 3 == keyword.len());
        rank.map_or(0, |rank| COMMON.len() / 3 - rank) + likely + 100 * open
    };
    // The offset is kept in a byte.
    (0..=(keyword.len() - 3).min(255)).min_by_key(|o| cost(*o)).unwrap_or(0)
}

/// How common a byte is in source and configuration, in doublings; folded neighbours count together.
fn likelihood(byte: u8) -> usize {
    match byte.to_ascii_lowercase() {
        b' ' | b'e' | b't' => 10,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b'-' => 9,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'u' => 8,
        b'.' | b'/' | b'f' | b'g' | b'h' | b'_' | b':' | b'=' => 7,
        b'b' | b'k' | b'v' | b'w' | b'y' | b'0'..=b'9' => 6,
        b'x' => 5,
        _ => 4,
    }
}

/// The most frequent trigrams of source code, manifests and prose, the most frequent first.
const COMMON: &str = concat!(
    "   ion = contioamenamtere: ationsingent coverate reserapperrstrthetorcomret thindratche.coestturresustforers",
    "pub - tesrep  -ub // nteproarghttttpsta seme:d: ectnsterv insio naagegitst ourtrirceontepoext://iveseltru  s",
    "he stoithdatvalmetsourinapiurcschps:n: attstecrepathematutpslicint stpersec.iotats:/ fo  nom/etaema  ppecelf",
    "/// er---get //on:ureor tems: erarsitypypeodekinr: kenio/ica  /expokerropare =ataseterneattokallasseleposmes",
    "catror paiteamlyamreasitref  cmatath tond:tomre angspaomeed   rer: trrve  facet: deretugenspeorm :=:= itoert",
    "pacoolhel  turnoryuseonfasees:equerib crueope  i prizeortsonireflu ap-seomilanpliluxon ere: tecrespthuultif ",
    "mpltedhub exer  0xoretinistuncpore::mizoneilenerkus annfi de mau32te:es  nocfgpplfigosireqmut crfilartbleurl",
    "adatretex: ueso  anotcesreltra enleakeyfunrgoelmfeaablng 2 =et  cltooromrmachabin  l-lajsolsecrase taressis ",
    "ttrlabandalu.to kuluerit32 nalcal  eredut it.ttek8suesy: let u3pivrunrn clueasnodncel: clito ockmasworv1.ull",
    "renta:e-sguantsetebelnewalstchlinrnaub.: 1 me: simp: k leabeicequelie_bib.c/v1def so-opec:herubersenetiens.c",
    "ngu a flalustadendiderouena limenlatkubt.fhomead ifharetssse: cs.iineactempme-pla faanaityvis/apled is: fcd.",
    "docnilfn locce:uagxprge-dge yandekitxcduxc.fl_tye-od.ijecl-lml-atcisi te.rerr ens=htma=lkia=holk taelsn_twit",
    "nd oun:  evens.rgerojstiten fntusizaencarszat/kuen_ce pre niastmapctiranfieo/v fitimphaareenelf.frome  ne  d",
    "rivackefaoutxteuctalpin graalidenth s a.yaty_ocilerndgt simeiticlologt.c ar.js wimangroashdeseth  knsee tlph",
    " ofaul: osynmitrecs-srneeco: hrucntrnt .hos tfauoup- .//kberv1a1al: _aut/gi al_to vaondnfo hee asyst iha1  v",
    "_atcer ass.h: gmodlitlesancfalainorie c//ge s_steldof put _bielail onsesshalon tyctots:thi-scvic doed:ct inf",
    "clacornneany __ caystppsnabhasedintile ordes. geful= 18s-insute poor:: aownon.quirolla_etrarampoloaork/k8ach",
    "h: iests/ticommte as.ns iflptief: htatooveomp 10th: looadfmtssiostt tn t= nlloststagrev/heal:ifi021disshount",
    "a1.orglowthonc r :ricrt.ait punitcur grts it_.apll lle fle.nch 211 unesungeevi11_addntalecinp0x5/co kicircop",
    "uir moux- da gis =l80nl8codplergscteard::cze.er_ndivendinlisprirafeme opnpusizt fheatna bepanas  cht::hantry",
    "opt_v1 latalsul ru: eecke iett-syinidir1.jx55ollebupe:arrfer  up:  diitsmre_rece.minhec.giobjginngsdelaleger",
    "rvihisbugrvacoldebfan spafaoldrac_inxpertipenan nt.envpastaing..0. boundign haili.pacas: npe  fmrt .or wh su",
    " fu-colmrmacat dow== on_: mopytit../en  urt ans:il it  oryncr::nt_cken f.naponoje::tditpol == ocuriialnon0.0",
    "wriutibooet_ itesefai fre f.in::ial se.other-: v0x0rtsolit =t.eann_ma8s.tse= 2 pebutloslaslen: ptrodexd tot ",
    " munds sh: rregroods:e r kes/awhe::prt:hosge ly t cbjeramdepthanagocsrov_caadesswrai/arst_rs:swobrals.uthoca",
);
