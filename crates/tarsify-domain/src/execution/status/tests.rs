//! The rules between the words.

use super::{EndReason, Ending, ExecutionStatus, Stage};

#[test]
fn nothing_leaves_the_end() {
    for next in Stage::ALL {
        assert!(!Stage::Ended.may_become(*next), "{next:?}");
    }
}

#[test]
fn every_stage_but_the_end_can_end() {
    for stage in Stage::ALL {
        assert_eq!(
            stage.may_become(Stage::Ended),
            *stage != Stage::Ended,
            "{stage:?}"
        );
    }
}

#[test]
fn an_accepted_job_is_never_submitted_again() {
    for stage in [Stage::Queued, Stage::Running] {
        for next in [Stage::Created, Stage::Submitting, Stage::Unknown] {
            assert!(!stage.may_become(next), "{stage:?} to {next:?}");
        }
    }
}

#[test]
fn a_stage_never_moves_to_itself() {
    for stage in Stage::ALL {
        assert!(!stage.may_become(*stage), "{stage:?}");
    }
}

#[test]
fn only_endings_are_terminal() {
    for ending in Ending::ALL {
        let status = ExecutionStatus::from(*ending);
        assert!(status.is_terminal());
        assert_eq!(status.as_str(), ending.as_str());
    }
    for stage in Stage::ALL {
        assert!(
            !stage.status().is_some_and(ExecutionStatus::is_terminal),
            "{stage:?}"
        );
    }
}

#[test]
fn what_nobody_called_off_has_a_code() {
    for reason in EndReason::ALL {
        let called_off = reason.as_str().starts_with("cancelled");
        assert_eq!(reason.error_code().is_none(), called_off, "{reason:?}");
    }
}
