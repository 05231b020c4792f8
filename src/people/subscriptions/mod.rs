//! Subscriptions, which API keys require.

pub mod reminders; // mails before and after the end
pub mod store;

use chrono::Duration;
use chrono_tz::Tz;

use crate::{base::clock::Moment, web::page};

/// The state of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Trialing,
    Active,
    /// The payment for the next period has failed; the grace period starts at the end of the last one.
    PastDue,
    /// Ends with its period.
    Cancelled,
    Expired,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Trialing => "trialing",
            State::Active => "active",
            State::PastDue => "past_due",
            State::Cancelled => "cancelled",
            State::Expired => "expired",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [State::Trialing, State::Active, State::PastDue, State::Cancelled, State::Expired]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A user's subscription.
#[derive(Clone, Copy, Debug)]
pub struct Subscription {
    pub state: State,
    /// When the paid period ends; `None` for one without an end.
    pub period_ends_at: Option<Moment>,
}

impl Subscription {
    /// From the columns of a left join, which are null where there is no subscription.
    pub fn from_joined_row(state: Option<String>, period_ends_at: Option<Moment>) -> sqlx::Result<Option<Self>> {
        let Some(name) = state else { return Ok(None) };
        let state = State::from_name(&name)
            .ok_or_else(|| sqlx::Error::Decode(format!("unknown subscription state {name}").into()))?;
        Ok(Some(Subscription { state, period_ends_at }))
    }

    /// When it stops being active; `None` for never.
    pub fn ends_at(&self, grace: Duration) -> Option<Moment> {
        match self.state {
            State::Trialing | State::Active | State::Cancelled => self.period_ends_at,
            State::PastDue => self.period_ends_at.map(|end| end + grace),
            State::Expired => Some(self.period_ends_at.unwrap_or(Moment::MIN_UTC)),
        }
    }
}

/// True if API keys may be used. Checked on every page view and every request with a key, so it is never out of date.
pub fn is_active(subscription: Option<&Subscription>, grace: Duration, now: Moment) -> bool {
    subscription.is_some_and(|subscription| match subscription.state {
        State::Expired => false,
        _ => subscription.ends_at(grace).is_none_or(|end| now < end),
    })
}

/// How long before its end a user is told.
pub const TOLD_BEFORE: Duration = Duration::days(7);

/// When an active subscription ends, if that is soon.
pub fn ends_soon(subscription: Option<&Subscription>, grace: Duration, now: Moment) -> Option<Moment> {
    let end = subscription.filter(|_| is_active(subscription, grace, now))?.ends_at(grace)?;
    (end - now <= TOLD_BEFORE).then_some(end)
}

/// The message for a user without an active subscription.
pub fn why_not(subscription: Option<&Subscription>, grace: Duration, zone: Tz) -> String {
    match subscription.and_then(|subscription| subscription.ends_at(grace)).filter(|end| *end > Moment::MIN_UTC) {
        Some(end) => {
            format!("API keys require an active subscription. Yours ended on {}.", page::When::new(end, zone).text)
        }
        None => "API keys require an active subscription.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_is_active_for_its_time() {
        let now = "2026-03-01T12:00:00Z".parse::<Moment>().expect("a moment");
        let (day, grace) = (Duration::days(1), Duration::days(7));
        let active = |state, period_ends_at| is_active(Some(&Subscription { state, period_ends_at }), grace, now);
        assert!(!is_active(None, grace, now));
        for state in [State::Trialing, State::Active, State::Cancelled] {
            assert!(active(state, Some(now + day)));
            assert!(!active(state, Some(now)), "{state:?} ends with its period");
        }
        assert!(active(State::Active, None));
        assert!(active(State::PastDue, Some(now - day * 6)));
        assert!(!active(State::PastDue, Some(now - grace)));
        assert!(!active(State::Expired, Some(now + day)));
        assert!(!active(State::Expired, None));
    }
}
