//! The table of one level, written once: the portable sources, compiled with the level's instructions.

/// `instances!(attribute, arch)` writes `pub(crate) fn kernels(level) -> Kernels` whose functions all carry `attribute`,
/// a `target_feature` except for portable code. `arch` is a value that implements `Arch` with those features.
macro_rules! instances {
    ($attribute:meta, $arch:expr) => {
        $crate::arch::instances::table! { $attribute, $arch;
            quantise(values: &[f32], out: &mut [$crate::ActivationGroup]) = $crate::matmul::activation::quantise;
            dot(x: &[f32], y: &[f32]) -> f32 = $crate::float::order::dot;
            rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) = $crate::float::norm::rms_norm;
            silu_mul(gate: &mut [f32], up: &[f32]) = $crate::float::activation::silu_mul;
            gelu_mul(gate: &mut [f32], up: &[f32]) = $crate::float::activation::gelu_mul;
            soft_cap(x: &mut [f32], cap: f32) = $crate::float::activation::soft_cap;
            add(x: &mut [f32], y: &[f32]) = $crate::float::activation::add;
            log_normaliser(logits: &[f32]) -> f64 = $crate::math::log_softmax::log_normaliser;
        }
    };
}

/// The functions, each an instance of its portable source, and the table of them.
macro_rules! table {
    (
        $attribute:meta, $arch:expr;
        $($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $source:path;)*
    ) => {
        $(
            #[$attribute]
            fn $name($($argument: $type),*) $(-> $result)? {
                $source($($argument),*)
            }
        )*

        #[$attribute]
        fn multiply<F: $crate::block::Format>(
            weights: &$crate::Weights<'_>,
            rows: std::ops::Range<usize>,
            columns: &$crate::Columns,
            out: &mut [&mut [f32]],
        ) {
            $crate::matmul::quantised::multiply::<_, F>($arch, weights, rows, columns, out);
        }

        #[$attribute]
        fn attend(job: &$crate::Attention<'_>, scratch: &mut Vec<f32>, out: &mut [&mut [f32]]) {
            $crate::float::attention::attend($arch, job, scratch, out);
        }

        #[$attribute]
        fn multiply_floats(
            weights: &$crate::Weights<'_>,
            rows: std::ops::Range<usize>,
            columns: &$crate::Columns,
            out: &mut [&mut [f32]],
        ) {
            $crate::matmul::float_rows::multiply(weights, rows, columns, out);
        }

        /// The functions of `level`, which must be the level of this file.
        #[allow(unused_unsafe, unsafe_code, reason = "entering functions of a detected instruction set")]
        pub(crate) fn kernels(level: $crate::Level) -> $crate::Kernels {
            fn enter_multiply<F: $crate::block::Format>(
                weights: &$crate::Weights<'_>,
                rows: std::ops::Range<usize>,
                columns: &$crate::Columns,
                out: &mut [&mut [f32]],
            ) {
                // SAFETY: as below.
                unsafe { multiply::<F>(weights, rows, columns, out) }
            }
            $crate::Kernels {
                level,
                // SAFETY: this table is built for its own level only, whose token exists only after its instruction set was
                // detected.
                $($name: |$($argument),*| unsafe { $name($($argument),*) },)*
                // SAFETY: as above.
                attend: |job, scratch, out| unsafe { attend(job, scratch, out) },
                // SAFETY: as above.
                multiply_floats: |weights, rows, columns, out| unsafe { multiply_floats(weights, rows, columns, out) },
                multiply: |kind| $crate::block::with_format!(kind, F => Some(enter_multiply::<F>), else None),
            }
        }
    };
}

pub(crate) use {instances, table};
