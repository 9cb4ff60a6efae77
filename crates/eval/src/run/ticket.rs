//! One job under way: its completions as they come in, until it is final.

use super::judge::judge;
use crate::plan::{Job, Plan};
use puma_core::{BackendErrorKind, Completion, Failure, JobRecord, Outcome, Request, Timestamp};
use std::collections::BTreeMap;

/// One job of the chunk being asked.
pub(super) struct Ticket<'a> {
    pub(super) job: &'a Job,
    completions: Vec<Option<Completion>>,
    failure: Option<Failure>,
    /// The user cancelled before the job was finished: it stays undone.
    abandoned: bool,
    started_at: Timestamp,
}

/// A request of a ticket and the place its completion takes.
pub(super) struct Question {
    pub(super) ticket: usize,
    pub(super) slot: usize,
    pub(super) request: Request,
}

impl<'a> Ticket<'a> {
    pub(super) fn new(job: &'a Job, started_at: Timestamp) -> Self {
        Self { job, completions: vec![None; job.completions()], failure: None, abandoned: false, started_at }
    }

    /// What to ask in `turn` (0 or 1). Completions are kept vote by vote, each with its turns.
    pub(super) fn questions(&self, plan: &Plan, ticket: usize, turn: usize) -> Vec<Question> {
        let turns = self.job.strategy.turns as usize;
        if turn >= turns || self.failure.is_some() || self.abandoned {
            return Vec::new();
        }
        if turn == 0 {
            let requests = plan.requests(self.job).into_iter().enumerate();
            return requests.map(|(vote, request)| Question { ticket, slot: vote * turns, request }).collect();
        }
        (0..self.job.strategy.votes)
            .filter_map(|vote| {
                let slot = vote as usize * turns + turn;
                let reply = self.completions[slot - 1].as_ref()?;
                let request = plan.follow_up_request(self.job, u64::from(vote), &reply.text)?;
                Some(Question { ticket, slot, request })
            })
            .collect()
    }

    /// Takes the completion or failure of one question; true when the job is final.
    pub(super) fn take(&mut self, slot: usize, result: Result<Completion, Failure>) -> bool {
        let was_final = self.is_final();
        match result {
            Ok(completion) => self.completions[slot] = Some(completion),
            Err(failure) => self.failure = self.failure.take().or(Some(failure)),
        }
        !was_final && self.is_final()
    }

    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Every completion is there, or one can never come. Votes still under way after a failure are not waited for.
    fn is_final(&self) -> bool {
        !self.abandoned && (self.failure.is_some() || self.completions.iter().all(Option::is_some))
    }

    pub(super) fn record(&self, plan: &Plan, finished_at: Timestamp) -> JobRecord {
        let job = self.job;
        let instance = &plan.instances[job.instance];
        let completions: Vec<Completion> = self.completions.iter().flatten().cloned().collect();
        let (outcome, verdict) = match &self.failure {
            Some(failure) => (outcome_of(failure), None),
            None => {
                let verdict = judge(plan.scenario, plan.parser, job.names, &job.strategy, &completions);
                (verdict.outcome, Some(verdict))
            }
        };
        let (answer, rule, confidence, label_probabilities) = match verdict {
            Some(verdict) => (verdict.answer, verdict.rule, verdict.confidence, verdict.label_probabilities),
            None => (None, None, None, BTreeMap::new()),
        };
        JobRecord {
            job_id: job.id.clone(),
            instance_id: instance.id.clone(),
            model: plan.models[job.model].name.clone(),
            strategy: job.strategy.name.to_owned(),
            perturbation: job.perturbation.clone(),
            repeat: job.repeat,
            seed: job.seed,
            gold: job.gold.clone(),
            group: instance.group.clone(),
            prompt: job.prompt.clone(),
            prompt_hash: job.prompt_hash.clone(),
            outcome,
            answer,
            rule,
            confidence,
            label_probabilities,
            completions,
            error: self.failure.as_ref().map(|failure| failure.error.message.clone()),
            failed_attempts: self.failure.as_ref().map(|failure| failure.attempts.clone()).unwrap_or_default(),
            started_at: self.started_at,
            finished_at,
        }
    }
}

/// A prompt that exceeds the context window would exceed it again: that is the model's limit.
fn outcome_of(failure: &Failure) -> Outcome {
    match failure.error.kind {
        BackendErrorKind::ContextExceeded => Outcome::Truncated,
        BackendErrorKind::Unreachable
        | BackendErrorKind::Timeout
        | BackendErrorKind::Http
        | BackendErrorKind::Protocol
        | BackendErrorKind::ModelNotFound
        | BackendErrorKind::Unsupported
        | BackendErrorKind::Cancelled
        | BackendErrorKind::Engine => Outcome::BackendFailed,
    }
}
