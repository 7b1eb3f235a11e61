//! The suite that every store has to pass, the fakes included.

use crate::support::world;

tarsify_testing::contract_tests!(world);
