//! The machine of a run: read once, checked against what the spec requires.

use crate::context::Context;
use crate::exit::ExitKind;
use crate::failure::Failure;
use crate::options::MachineArgs;
use puma_eval::spec::RunSpec;
use puma_host::profile::{self, MachineSnapshot, PROFILES, ProfileFacts, Rule};

/// Reads the machine. A profile that the spec requires must be met, or be insisted on by `--profile`.
///
/// # Errors
/// There is no such profile, or the machine does not meet it.
pub(crate) fn snapshot(spec: &RunSpec, args: &MachineArgs, context: &Context) -> Result<MachineSnapshot, Failure> {
    let snapshot = MachineSnapshot::take(context.host.as_ref(), args.profile.as_deref())?;
    for warning in &snapshot.mode.warnings {
        context.ui.advise(&warning.message, &warning.hint);
    }
    let Some(required) = &spec.profile_required else { return Ok(snapshot) };
    if *required == snapshot.profile.id {
        return Ok(snapshot);
    }
    let Some(required) = profile::find(required) else {
        return Err(Failure::invalid(format!("the spec requires the profile `{required}`, which there is not"))
            .hint(format!("profiles are {}", PROFILES.map(|profile| profile.id).join(", "))));
    };
    let unmet = profile::unmet(required, &ProfileFacts::of(&snapshot.machine));
    if unmet.is_empty() {
        return Ok(snapshot);
    }
    let lacking = unmet.join("; ");
    if snapshot.profile.rule == Rule::Override {
        context.ui.warn(&format!(
            "the spec requires the profile {}, which this machine does not meet: {lacking}",
            required.id
        ));
        return Ok(snapshot);
    }
    let message =
        format!("the spec requires the profile {}, and this machine does not meet it: {lacking}", required.id);
    Err(Failure::new(ExitKind::HardwareInsufficient, message)
        .hint(format!("`--profile {}` runs it all the same, and the run says that you insisted", required.id)))
}
