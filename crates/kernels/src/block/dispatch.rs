//! From a tensor type known at run time to a [`Format`](super::Format) known at compile time.

/// `with_format!(kind, F => expression, else other)`: `expression` with `F` naming the format of `kind`, or `other` for
/// plain floats.
macro_rules! with_format {
    ($kind:expr, $format:ident => $expression:expr, else $other:expr) => {{
        macro_rules! with {
            ($known:ty) => {{
                type $format = $known;
                $expression
            }};
        }
        use $crate::TensorType;
        match $kind {
            TensorType::F32 | TensorType::F16 | TensorType::BF16 => $other,
            TensorType::Q4_0 => with!($crate::block::q4::Q4_0),
            TensorType::Q4_1 => with!($crate::block::q4::Q4_1),
            TensorType::Q5_0 => with!($crate::block::q5::Q5_0),
            TensorType::Q5_1 => with!($crate::block::q5::Q5_1),
            TensorType::Q8_0 => with!($crate::block::q8::Q8_0),
            TensorType::Q2K => with!($crate::block::q2_k::Q2K),
            TensorType::Q3K => with!($crate::block::q3_k::Q3K),
            TensorType::Q4K => with!($crate::block::q4_k::Q4K),
            TensorType::Q5K => with!($crate::block::q5_k::Q5K),
            TensorType::Q6K => with!($crate::block::q6_k::Q6K),
            TensorType::Q8K => with!($crate::block::q8_k::Q8K),
            TensorType::IQ4NL => with!($crate::block::iq4::IQ4NL),
            TensorType::IQ4XS => with!($crate::block::iq4::IQ4XS),
            TensorType::MXFP4 => with!($crate::block::mxfp4::MXFP4),
        }
    }};
}

pub(crate) use with_format;
