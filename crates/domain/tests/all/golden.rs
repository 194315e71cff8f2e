//! Compares results bit by bit, so that no build, machine or new version of `libm` changes a price
//! unnoticed.

use foretell_domain::market::curve::{Curve, Price};
use foretell_domain::market::lmsr::Lmsr;
use foretell_domain::money::Amount;
use foretell_domain::probability::Probability;

/// Returns every number of a price and of trades with it, at short and long distances.
fn results(price: &Price) -> Vec<f64> {
    let mut results = vec![price.p(), price.complement(), price.ln_p(), price.ln_complement()];
    for amount in [1.0, 12_345.0, 1e9] {
        results.push(price.bonus_for_spend(amount));
        results.push(price.cost_of_shares(amount));
        results.push(price.proceeds_of_shares(amount));
        results.push(price.after_spend(amount).ln_p());
    }
    results
}

fn check(curve: &Curve, quantities: &[f64], option: usize, expected: &[u64]) {
    let price = curve.price(quantities, option).expect("a known option");
    let actual: Vec<u64> = results(&price).into_iter().map(f64::to_bits).collect();
    assert!(
        actual == expected,
        "option {option} at {quantities:?} now has the bits {actual:#018x?}"
    );
}

#[test]
fn even_markets_keep_their_bits() {
    let lmsr = Lmsr::uniform(Amount::new(10_000).unwrap(), 2).unwrap();
    check(
        lmsr.curve(),
        &[0.0, 0.0],
        0,
        &[
            0x3fe0_0000_0000_0000,
            0x3fe0_0000_0000_0000,
            0xbfe6_2e42_fefa_39ef,
            0xbfe6_2e42_fefa_39ef,
            0x3fef_ff6e_a585_f85f,
            0x3fe0_0012_2ba1_c9da,
            0x3fdf_ffdb_a8bc_6c4b,
            0xbfe6_2db1_a480_3348,
            0x40b9_999c_aef6_734b,
            0x40bd_1e83_fc03_09b2,
            0x40b3_1a7c_03fc_f64e,
            0xbfce_93cc_0e80_319a,
            0x40c3_87ff_ffff_ffec,
            0x41cd_cd51_7800_0000,
            0x40c3_87ff_ffff_ffec,
            0x8000_0000_0000_0000,
        ],
    );
    check(
        lmsr.curve(),
        &[250_000.0, 3.0],
        1,
        &[
            0x3e60_00da_0962_7401,
            0x3fef_ffff_efff_25f6,
            0xc031_5416_b6fa_2cb5,
            0xbe60_00da_0d62_e10a,
            0x40fb_4dde_a658_ebc3,
            0x3e60_00fe_62cc_3a25,
            0x3e60_00b5_b066_c1c8,
            0xc023_2725_8121_c1be,
            0x410d_8aec_c4f7_7ac1,
            0x3f43_10ec_3dc5_e469,
            0x3f30_34af_4197_b407,
            0xbfe1_b52f_94ca_a412,
            0x410e_8468_00e1_77cd,
            0x41cd_cb7c_b97f_f1e8,
            0x3f3c_2ef9_aa2c_3658,
            0x8000_0000_0000_0000,
        ],
    );
}

fn skewed() -> Lmsr {
    let initial = [1e-12, 0.25, 0.75 - 1e-12].map(|p| Probability::new(p).unwrap());
    Lmsr::new(Amount::new(1_000_000_000_000).unwrap(), &initial).unwrap()
}

#[test]
fn skewed_markets_keep_their_bits() {
    let lmsr = skewed();
    check(
        lmsr.curve(),
        &[0.0, 0.0, 0.0],
        0,
        &[
            0x3d71_9799_812d_ea1d,
            0x3fef_ffff_ffff_dcd1,
            0xc03b_a18a_998f_ffa0,
            0xbd71_9799_812d_f3c9,
            0x423c_442f_d54b_c24a,
            0x3d71_9799_812e_f559,
            0x3d71_9799_812c_dee2,
            0xc038_46ca_b11a_4228,
            0x425a_d68a_1e12_4a3d,
            0x3e4a_82bc_970e_82cd,
            0x3e4a_82bb_ff57_703d,
            0xc02d_c83a_b39f_1ca8,
            0x4269_4f27_de72_6de8,
            0x3f50_9cc9_b183_dfef,
            0x3f50_28e3_3906_daba,
            0xc00c_d21f_e33a_29b8,
        ],
    );
    check(
        lmsr.curve(),
        &[0.0, 0.0, 1_000_000_007.0],
        2,
        &[
            0x3fe8_2a25_bd85_c47a,
            0x3fcf_5769_09e8_ee14,
            0xbfd1_f95f_aaa0_6ef6,
            0xbff6_836f_9f22_d032,
            0x3fd4_c07f_30b6_126e,
            0x3fe8_2a25_bd86_1e5b,
            0x3fe8_2a25_bd85_6a9a,
            0xbfd1_f95f_aa9d_f881,
            0x40af_45b5_3523_18e9,
            0x40c2_3521_e482_d5bf,
            0x40c2_3521_caff_6725,
            0xbfd1_f95f_33de_20e2,
            0x41b2_fa7b_f531_331c,
            0x41c6_94b2_422c_7f54,
            0x41c6_6db7_cd7a_ea59,
            0xbfd1_693a_b705_da82,
        ],
    );
}

#[test]
fn skewed_market_bought_up_keeps_its_bits() {
    check(
        skewed().curve(),
        &[2_000_000_000_000.0, 1.0, 5.0],
        0,
        &[
            0x3fef_ffff_ffff_dcd0,
            0x3d71_9799_8136_196d,
            0xbd71_9799_8136_2319,
            0xc03b_a18a_998f_8884,
            0x3d71_9799_8135_218a,
            0x3fef_ffff_ffff_dcd0,
            0x3fef_ffff_ffff_dcd0,
            0xbd71_9799_8134_0ca3,
            0x3e4a_82bb_ff63_e2f0,
            0x40c8_1c7f_ffff_e57c,
            0x40c8_1c7f_ffff_e57c,
            0xbd71_9799_1c88_fad0,
            0x3f50_28e3_390e_70b5,
            0x41cd_cd64_ffff_dfae,
            0x41cd_cd64_ffff_dec5,
            0xbd71_1cdd_3165_e62b,
        ],
    );
}
