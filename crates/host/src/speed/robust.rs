//! Robust statistics: medians, Huber regression.

/// Huber's constant: 95 % efficiency when the errors are normal after all.
const HUBER: f64 = 1.345;
/// Turns a median absolute deviation into a standard deviation of a normal distribution.
const NORMAL_MAD: f64 = 1.482_602_218_505_602;

/// The middle value; the mean of the two middle ones when their number is even. `None` for no values.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// Standard deviation about `center`, from the median absolute deviation. 0 for no values.
pub(super) fn scale_about(values: &[f64], center: f64) -> f64 {
    let deviations: Vec<f64> = values.iter().map(|value| (value - center).abs()).collect();
    median(&deviations).unwrap_or(0.0) * NORMAL_MAD
}

/// Huber's weight of a residual: 1 up to 1.345 standard deviations, falling beyond.
fn weight(residual: f64, scale: f64) -> f64 {
    let limit = HUBER * scale;
    if residual.abs() <= limit { 1.0 } else { limit / residual.abs() }
}

/// Solves `rows * x = targets` with Huber's loss, its scale being the median absolute residual, by iterated
/// reweighting until nothing moves. `None` when the columns are dependent or there are fewer rows than columns.
pub(super) fn regress(rows: &[Vec<f64>], targets: &[f64]) -> Option<Vec<f64>> {
    let mut weights = vec![1.0; rows.len()];
    let mut solution = least_squares(rows, targets, &weights)?;
    for _ in 0..500 {
        let residuals: Vec<f64> = rows.iter().zip(targets).map(|(row, y)| y - dot(row, &solution)).collect();
        let scale = scale_about(&residuals, 0.0);
        if scale < 1e-12 {
            break;
        }
        for (weight_of, residual) in weights.iter_mut().zip(&residuals) {
            *weight_of = weight(*residual, scale);
        }
        let next = least_squares(rows, targets, &weights)?;
        let moved = next.iter().zip(&solution).map(|(a, b)| (a - b).abs() / b.abs().max(1e-9)).fold(0.0, f64::max);
        solution = next;
        if moved < 1e-13 {
            break;
        }
    }
    Some(solution)
}

/// Huber's location: the mean with far values weighted down, starting from the median. `None` for no values.
pub(super) fn location(values: &[f64], floor_scale: f64) -> Option<f64> {
    let mut center = median(values)?;
    let scale = scale_about(values, center).max(floor_scale);
    for _ in 0..200 {
        let (mut sum, mut total) = (0.0, 0.0);
        for value in values {
            let weight = weight(value - center, scale);
            sum += weight * value;
            total += weight;
        }
        let next = sum / total;
        if (next - center).abs() < 1e-14 {
            break;
        }
        center = next;
    }
    Some(center)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Weighted least squares by the normal equations; at most a handful of well scaled columns.
fn least_squares(rows: &[Vec<f64>], targets: &[f64], weights: &[f64]) -> Option<Vec<f64>> {
    let columns = rows.first()?.len();
    if rows.len() < columns {
        return None;
    }
    let mut system = vec![vec![0.0; columns + 1]; columns];
    for ((row, target), weight) in rows.iter().zip(targets).zip(weights) {
        for (i, equation) in system.iter_mut().enumerate() {
            for j in 0..columns {
                equation[j] += weight * row[i] * row[j];
            }
            equation[columns] += weight * row[i] * target;
        }
    }
    eliminate(system)
}

/// Gaussian elimination with partial pivoting of `n` equations of `n + 1` numbers.
fn eliminate(mut system: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let n = system.len();
    let sizes: Vec<f64> = (0..n).map(|i| system[i][i].abs()).collect();
    for column in 0..n {
        let pivot = (column..n).max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs()))?;
        system.swap(column, pivot);
        let head = system[column].clone();
        // Relative to what stood on the diagonal, so that the unit of a column does not matter.
        if head[column].abs() <= 1e-11 * sizes[column] {
            return None;
        }
        for (_, row) in system.iter_mut().enumerate().filter(|(index, _)| *index != column) {
            let factor = row[column] / head[column];
            for (value, of_head) in row.iter_mut().zip(&head) {
                *value -= factor * of_head;
            }
        }
    }
    Some((0..n).map(|i| system[i][n] / system[i][i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_order_and_one_wild_value() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[1.0, 2.0, 3.0, 1e9]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_line_is_found_in_spite_of_an_outlier() {
        let rows: Vec<Vec<f64>> = (1..=12).map(|x| vec![f64::from(x), 1.0]).collect();
        let mut targets: Vec<f64> = (1..=12).map(|x| 2.0 * f64::from(x) + 3.0).collect();
        targets[5] = 500.0;
        let found = regress(&rows, &targets).expect("two columns, twelve rows");
        assert!((found[0] - 2.0).abs() < 1e-6 && (found[1] - 3.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn dependent_columns_have_no_solution() {
        let rows = vec![vec![1.0, 2.0], vec![2.0, 4.0], vec![3.0, 6.0]];
        assert_eq!(regress(&rows, &[1.0, 2.0, 3.0]), None);
        assert_eq!(regress(&rows[..1], &[1.0]), None);
    }

    #[test]
    fn the_location_of_equal_values_is_that_value() {
        let found = location(&[0.7, 0.7, 0.7], 0.05).expect("there are values");
        assert!((found - 0.7).abs() < 1e-15);
        let wild = location(&[0.70, 0.71, 0.69, 9.0], 0.05).expect("there are values");
        assert!((wild - 0.7).abs() < 0.1, "{wild}");
    }
}
