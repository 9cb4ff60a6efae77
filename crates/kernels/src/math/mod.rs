//! Own elementary functions, made of `+ - * / sqrt`, comparisons, integer operations and IEEE conversions only:
//! libm differs between platforms in the last bits, these do not.

pub mod exp;
pub mod half;
pub mod ln;
pub mod log_softmax;
pub mod pow;
pub mod sin_cos;
pub mod tanh;
