//! The one order in which floats are summed along a vector: `LANES` virtual lanes, multiply then add, one fixed tree.

/// Virtual lanes of every float sum. Part of the contract: another value gives other bits. 64 was measured to be the
/// smallest count that fills AVX-512 without starving SSE2 (8 to 32 lanes run at a quarter of the speed or less).
pub const LANES: usize = 64;

/// Adds the lanes: lane `i` takes lane `i + w` for `w` = 32, 16, 8, 4, 2, 1.
#[inline(always)]
pub fn tree(lanes: [f32; LANES]) -> f32 {
    let mut sums = lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0]
}

/// Sum of `x[i] * y[i]`; element `i` belongs to lane `i % 64`.
///
/// Panics if the lengths differ.
#[inline(always)]
pub fn dot(x: &[f32], y: &[f32]) -> f32 {
    assert_eq!(x.len(), y.len(), "dot of vectors of different lengths");
    let mut lanes = [0.0f32; LANES];
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let (y_chunks, y_rest) = y.as_chunks::<LANES>();
    for (a, b) in x_chunks.iter().zip(y_chunks) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    for (i, (a, b)) in x_rest.iter().zip(y_rest).enumerate() {
        lanes[i] += a * b;
    }
    tree(lanes)
}

/// Sum of `x`; element `i` belongs to lane `i % 64`.
#[inline(always)]
pub fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    for (i, value) in rest.iter().enumerate() {
        lanes[i] += value;
    }
    tree(lanes)
}
