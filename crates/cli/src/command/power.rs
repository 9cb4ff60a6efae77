//! `puma power`: what a study of a given size can see, and how large it must be.

use crate::context::Context;
use crate::execute::find_scenario;
use crate::failure::Failure;
use crate::power_text::text;
use crate::runs;
use clap::{Args, ValueEnum};
use puma_core::RecordedRun;
use puma_eval::comparison::Side;
use puma_eval::metric::{Task, TaskKind};
use puma_eval::pilot::Pilot;
use puma_eval::stats::{PowerMethod, Study};
use serde::Serialize;
use std::collections::BTreeSet;

/// Arguments of `puma power`. Say two of `--n`, `--effect` and `--power`; the third is computed.
#[derive(Debug, Args)]
pub(crate) struct PowerArgs {
    /// What is compared: the accuracy of two models on the same issues, or their mean absolute errors [default: accuracy,
    /// or what the runs estimate].
    #[arg(long, value_enum)]
    metric: Option<PowerMetric>,
    /// Issues in the study [default: those of the runs].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    n: Option<u32>,
    /// True difference to be seen: a share (0.05 is five per cent of the issues) or story points.
    #[arg(long, value_name = "DIFFERENCE", allow_negative_numbers = true)]
    effect: Option<f64>,
    /// Share of studies that shall see the difference [default: 0.8].
    #[arg(long, value_name = "SHARE")]
    power: Option<f64>,
    /// Share of studies that may see a difference where there is none.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    alpha: f64,
    /// How many comparisons are made together; each is held to alpha divided by this, the worst case of Holm's correction.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    comparisons: u32,
    /// Share of issues that exactly one of the two models gets right [default: what the runs say, or several].
    #[arg(long, value_name = "SHARE", conflicts_with = "against")]
    discordance: Option<f64>,
    /// Standard deviation, over issues, of the difference of absolute errors in story points [default: what the runs say].
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    sd: Option<f64>,
    /// Compare one model's accuracy with this fixed value instead of with another model.
    #[arg(long, value_name = "SHARE", conflicts_with = "run")]
    against: Option<f64>,
    /// Take issues, disagreement and spread from a stored run of two models or strategies, or from two runs.
    #[arg(long, value_name = "RUN")]
    run: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What two judges are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PowerMetric {
    Accuracy,
    Mae,
}

/// What `power` prints as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct PowerReport {
    pub(crate) metric: PowerMetric,
    pub(crate) test: &'static str,
    /// Of the effect: `points`, or empty for a share.
    pub(crate) unit: &'static str,
    pub(crate) alpha: f64,
    pub(crate) comparisons: u32,
    pub(crate) alpha_per_test: f64,
    /// Which of `n`, `effect` and `power` was computed.
    pub(crate) computed: Computed,
    /// One for each assumption about the spread.
    pub(crate) plans: Vec<Plan>,
    /// The runs the assumption comes from.
    pub(crate) pilot: Option<PilotRuns>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Computed {
    N,
    Effect,
    Power,
}

#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) discordance: Option<f64>,
    pub(crate) sd: Option<f64>,
    pub(crate) against: Option<f64>,
    /// `None`: no number of issues is enough.
    pub(crate) n: Option<u32>,
    /// `None`: no difference that can occur is seen so often.
    pub(crate) effect: Option<f64>,
    pub(crate) power: Option<f64>,
    /// `None` where nothing was computed.
    pub(crate) method: Option<PowerMethod>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PilotRuns {
    pub(crate) run_ids: Vec<String>,
    /// Issues of the runs that could be judged.
    pub(crate) instances: usize,
    /// `None` when the runs hold no two models or strategies to compare.
    pub(crate) paired: Option<Pilot>,
}

/// Assumed where nothing is known: from two models that mostly agree to two that often do not.
const ASSUMED_DISCORDANCE: [f64; 4] = [0.1, 0.2, 0.3, 0.4];

pub(crate) fn run(args: PowerArgs, context: &Context) -> Result<(), Failure> {
    let PowerArgs { metric, n, effect, power, alpha, comparisons, discordance, sd, against, run, json } = args;
    share("--alpha", Some(alpha))?;
    share("--power", power)?;
    share("--discordance", discordance)?;
    share("--against", against)?;
    positive("--sd", sd)?;
    positive("--effect", effect)?;
    let (found, pilot) = if run.is_empty() { (None, None) } else { read_runs(&run, context)? };
    let metric = match (metric, found) {
        (Some(asked), Some(found)) if asked != found => {
            let told = "the runs do not hold that kind of answer";
            return Err(Failure::invalid(format!("--metric {} cannot be planned: {told}", asked.name())));
        }
        (asked, found) => asked.or(found).unwrap_or(PowerMetric::Accuracy),
    };
    inapplicable(metric, discordance, sd, against)?;
    let n = n.or(pilot
        .as_ref()
        .and_then(|pilot| u32::try_from(pilot.instances).ok())
        .filter(|_| effect.is_none() || power.is_none()));
    let question = Question::of(n, effect, power)?;
    let alpha_per_test = alpha / f64::from(comparisons);
    let paired = pilot.as_ref().and_then(|pilot| pilot.paired);
    let studies = studies(metric, discordance, sd, against, paired)?;
    let report = PowerReport {
        metric,
        test: match (metric, against) {
            (PowerMetric::Mae, _) => "paired_mean",
            (PowerMetric::Accuracy, Some(_)) => "binomial_exact",
            (PowerMetric::Accuracy, None) => "mcnemar_exact",
        },
        unit: if metric == PowerMetric::Mae { "points" } else { "" },
        alpha,
        comparisons,
        alpha_per_test,
        computed: question.computed(),
        plans: studies.iter().map(|study| question.plan(study, alpha_per_test)).collect(),
        pilot,
    };
    if json { context.ui.json(&report) } else { context.ui.data(&text(&report)) }
}

impl PowerMetric {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Mae => "mae",
        }
    }
}

fn share(flag: &str, value: Option<f64>) -> Result<(), Failure> {
    match value {
        Some(value) if !(value > 0.0 && value < 1.0) => {
            Err(Failure::invalid(format!("{flag} {value} is no share between 0 and 1")))
        }
        _ => Ok(()),
    }
}

fn positive(flag: &str, value: Option<f64>) -> Result<(), Failure> {
    match value {
        Some(value) if !(value > 0.0 && value.is_finite()) => {
            Err(Failure::invalid(format!("{flag} {value} is no number above 0")))
        }
        _ => Ok(()),
    }
}

fn inapplicable(
    metric: PowerMetric,
    discordance: Option<f64>,
    sd: Option<f64>,
    against: Option<f64>,
) -> Result<(), Failure> {
    let flag = match metric {
        PowerMetric::Accuracy => sd.map(|_| "--sd"),
        PowerMetric::Mae => discordance.map(|_| "--discordance").or(against.map(|_| "--against")),
    };
    match flag {
        Some(flag) => Err(Failure::invalid(format!("{flag} says nothing about --metric {}", metric.name()))),
        None => Ok(()),
    }
}

/// What is given and what is asked.
#[derive(Clone, Copy)]
enum Question {
    Effect { n: u32, power: f64 },
    Instances { effect: f64, power: f64 },
    Power { n: u32, effect: f64 },
}

impl Question {
    fn of(n: Option<u32>, effect: Option<f64>, power: Option<f64>) -> Result<Self, Failure> {
        const USUAL: f64 = 0.8;
        match (n, effect, power) {
            (Some(n), None, power) => Ok(Self::Effect { n, power: power.unwrap_or(USUAL) }),
            (None, Some(effect), power) => Ok(Self::Instances { effect, power: power.unwrap_or(USUAL) }),
            (Some(n), Some(effect), None) => Ok(Self::Power { n, effect }),
            (Some(_), Some(_), Some(_)) => {
                Err(Failure::invalid("--n, --effect and --power are all given: nothing is left to compute")
                    .hint("leave one of them out"))
            }
            (None, None, _) => {
                Err(Failure::invalid("neither the number of issues nor a difference to be seen is given")
                    .hint("puma power --n 200")
                    .hint("puma power --effect 0.05"))
            }
        }
    }

    fn computed(self) -> Computed {
        match self {
            Self::Effect { .. } => Computed::Effect,
            Self::Instances { .. } => Computed::N,
            Self::Power { .. } => Computed::Power,
        }
    }

    fn plan(self, study: &Study, alpha: f64) -> Plan {
        let (n, effect, power) = match self {
            Self::Effect { n, power } => (Some(n), study.detectable_effect(n, power, alpha), Some(power)),
            Self::Instances { effect, power } => {
                (study.needed_instances(effect, power, alpha), Some(effect), Some(power))
            }
            Self::Power { n, effect } if effect <= study.largest_effect() => {
                (Some(n), Some(effect), Some(study.power(n, effect, alpha)))
            }
            Self::Power { n, effect } => (Some(n), Some(effect), None),
        };
        let (discordance, sd, against) = match *study {
            Study::PairedAccuracy { discordance } => (Some(discordance), None, None),
            Study::FixedAccuracy { reference } => (None, None, Some(reference)),
            Study::PairedMean { sd } => (None, Some(sd), None),
        };
        let method = n.filter(|_| effect.is_some() && power.is_some()).map(|n| study.method(n));
        Plan { discordance, sd, against, n, effect, power, method }
    }
}

fn studies(
    metric: PowerMetric,
    discordance: Option<f64>,
    sd: Option<f64>,
    against: Option<f64>,
    pilot: Option<Pilot>,
) -> Result<Vec<Study>, Failure> {
    let seen = |value: Option<f64>| value.filter(|value| *value > 0.0);
    match (metric, against) {
        (PowerMetric::Accuracy, Some(reference)) => Ok(vec![Study::FixedAccuracy { reference }]),
        (PowerMetric::Accuracy, None) => {
            let known = discordance.or(seen(pilot.and_then(|pilot| pilot.discordance)));
            let assumed = known.map_or_else(|| ASSUMED_DISCORDANCE.to_vec(), |discordance| vec![discordance]);
            Ok(assumed.into_iter().map(|discordance| Study::PairedAccuracy { discordance }).collect())
        }
        (PowerMetric::Mae, _) => {
            let known = sd.or(seen(pilot.and_then(|pilot| pilot.error_difference_sd)));
            let sd = known.ok_or_else(|| {
                Failure::invalid("how far the two models' errors lie apart from issue to issue is not known")
                    .hint("--sd POINTS, or --run with two runs of estimation")
            })?;
            Ok(vec![Study::PairedMean { sd }])
        }
    }
}

/// What the runs say: the kind of answer, and the pair of sides if there is exactly one.
fn read_runs(wanted: &[String], context: &Context) -> Result<(Option<PowerMetric>, Option<PilotRuns>), Failure> {
    if wanted.len() > 2 {
        return Err(Failure::invalid("a study is planned from one run or two").hint("give --run at most twice"));
    }
    let recorded: Vec<RecordedRun> = wanted.iter().map(|name| runs::open(context, name)).collect::<Result<_, _>>()?;
    let scenarios: BTreeSet<&str> = recorded.iter().map(|run| run.header.scenario.as_str()).collect();
    if scenarios.len() > 1 {
        return Err(Failure::invalid("the two runs are of different scenarios: nothing can be paired"));
    }
    let task: Task = find_scenario(&recorded[0].header.scenario)?.task();
    let sides: Vec<Side<'_>> = recorded.iter().flat_map(Side::all).filter(|side| side.perturbation.is_none()).collect();
    let paired = match sides.as_slice() {
        [first, second] => Some(Pilot::of(&task, first, second)),
        [_] => None,
        _ => {
            return Err(Failure::invalid(format!(
                "the runs hold {} combinations of model and strategy: it is not clear which two are meant",
                sides.len()
            ))
            .hint("give a run of two, or two runs of one"));
        }
    };
    let judged: BTreeSet<_> = sides.iter().flat_map(|side| &side.records).map(|record| &record.instance_id).collect();
    let instances = paired.map_or(judged.len(), |pilot| pilot.pairs);
    let metric = match task.kind {
        TaskKind::Regression => PowerMetric::Mae,
        TaskKind::Classification | TaskKind::Pairwise => PowerMetric::Accuracy,
    };
    let run_ids = recorded.iter().map(|run| run.header.run_id.to_string()).collect();
    Ok((Some(metric), Some(PilotRuns { run_ids, instances, paired })))
}
