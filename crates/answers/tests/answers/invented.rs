//! The answers, against numbers computed by hand from the figures of `invented.rs`.
#![expect(clippy::float_cmp, reason = "what is compared is one number, copied")]

use sparkjoy_base::SourceName;

use sparkjoy_answers::*;
use sparkjoy_kit::invented::{self, answers, of_text, plan, scores, unfinished};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
}

fn cell<'a>(answer: &'a Answer, arm: &str, control: &str, name: &str) -> Option<&'a Comparison> {
    let scope = answer.scopes.iter().position(|scope| match &scope.what {
        What::All => name == "all",
        What::Targeted => name == "targeted",
        What::General => name == "general",
        What::Unseen => name == "unseen",
        What::Domain { name: domain } => name == domain.as_str(),
        What::Source { name: source, .. } => name == source.as_str(),
    });
    let arm = answer
        .arms
        .iter()
        .find(|a| a.label == arm && answer.controls[a.control].label == control)
        .unwrap_or_else(|| panic!("no arm {arm} against {control} in {:?}", answer.arms));
    arm.cells[scope.expect("a scope of the study")].as_ref()
}

#[test]
fn differences_are_paired_by_replicate() {
    let answers = answers();
    let duration = &answers.questions[0];
    let proofs = cell(duration, "10%", "base, same 10% window", "proofs").unwrap();
    // Branch 0.75, 0.761, 0.774; control 0.80, 0.81, 0.82.
    for (found, expected) in proofs.difference.values.iter().zip([-0.05, -0.049, -0.046]) {
        close(*found, expected);
    }
    close(proofs.branch.mean, (0.75 + 0.761 + 0.774) / 3.0);
    close(proofs.control.mean, 0.81);
    close(proofs.difference.mean, -0.145 / 3.0);
    // Deviations from −0.048333…: −5/3000, −2/3000, 7/3000; squares 78/9 · 1e-6 over 2.
    close(proofs.difference.deviation.unwrap(), (78.0_f64 / 9.0 / 2.0).sqrt() * 1e-3);
    close(proofs.difference.standard_error.unwrap(), (78.0_f64 / 9.0 / 6.0).sqrt() * 1e-3);
    assert_eq!(proofs.verdict, Verdict::NotTested);
    // The noise floor: 0.80, 0.81, 0.82 deviate by 0.01 although their difference is certain.
    close(proofs.control.deviation.unwrap(), 0.01);
}

#[test]
fn a_domain_is_the_plain_mean_of_its_sources_and_all_of_all_sources() {
    let answers = answers();
    let duration = &answers.questions[0];
    let mean = |name| cell(duration, "20%", "base, same 20% window", name).unwrap().difference.mean;
    let noise = (0.0 + 0.001 + 0.004) / 3.0;
    close(mean("proofs"), -0.05 + noise);
    close(mean("puzzles"), -0.1 + noise);
    close(mean("math"), -0.075 + noise);
    close(mean("blogs"), noise);
    close(mean("web"), noise);
    // Not the mean of the two domains, which would be −0.0375.
    close(mean("all"), -0.05 + noise);
}

#[test]
fn what_is_not_significant_has_that_verdict_and_is_not_ranked() {
    let answers = answers();
    let web = cell(&answers.questions[0], "10%", "base, same 10% window", "general").unwrap();
    // −0.002, 0.001, 0.006: mean 0.001667, standard error 0.002333, two degrees of freedom.
    close(web.difference.mean, 0.005 / 3.0);
    let effect = web.effect.as_ref().unwrap();
    assert!((effect.standard_error - 0.002_333_333).abs() < 1e-8 && effect.freedom < 2.001);
    // 4.302653 standard errors.
    assert!((effect.high - (0.005 / 3.0 + 0.010_039_52)).abs() < 1e-7, "{effect:?}");
    assert_eq!(web.verdict, Verdict::NotSignificant);
    // 80 % power at Holm's first step of four: about seven standard errors and more.
    assert!(web.detectable.unwrap() > 7.0 * effect.standard_error);
    let nulls = answers.questions[0].findings.iter().filter_map(|finding| match finding {
        Finding::NotSignificant { comparisons } => Some(&comparisons[..]),
        _ => None,
    });
    // That of the other window; the largest gain has this one.
    let [[null]] = nulls.collect::<Vec<_>>()[..] else { panic!("one finding of one comparison") };
    assert_eq!((null.arm, &null.scope), (1, &What::General));
    assert_eq!(null.tested.family, Family { of: FamilyKind::HeldOut, comparisons: 4 });
}

#[test]
fn a_question_is_corrected_for_what_it_tests_and_nothing_else() {
    let answers = answers();
    let question = &answers.questions[0];
    let p = |arm: usize, scope: usize| {
        let cell = question.arms[arm].cells[scope].as_ref().unwrap();
        (cell.effect.as_ref().unwrap().p, cell.adjusted_p)
    };
    // Two windows, each with its targets and the rest; targeted ones come first by p.
    let (targeted, adjusted) = p(0, 1);
    close(adjusted.unwrap(), 4.0 * targeted);
    assert_eq!(p(0, 0).1, None, "everything together is not tested");
    assert_eq!(question.arms[0].cells[1].as_ref().unwrap().verdict, Verdict::Better);
    assert!(question.scopes[1].what == What::Targeted && question.scopes[1].base.is_none());
}

#[test]
fn the_largest_gain_has_its_cost_and_the_windows_to_try_next() {
    let answers = answers();
    let question = &answers.questions[0];
    // Both windows gain the same, to the last replicate.
    assert_eq!(question.largest_gain, Some(0));
    assert_eq!(question.ranking.len(), 2);
    let found = question.findings.iter().find_map(|finding| match finding {
        Finding::LargestGain(finding) => Some(finding),
        _ => None,
    });
    let found = found.unwrap();
    close(found.targeted.effect.mean, -0.22 / 3.0);
    assert_eq!((found.arm, &found.enough, &found.lesser), (0, &None, &None));
    // The first of 10 and 20 %: less, and between the two.
    assert!(!found.at_end && found.next == [0.05, 0.15], "{:?}", found.next);
    // 80 % blogs, 15 % proofs, 5 % puzzles, each by its own difference.
    let of = |source: &str| cell(&answers.questions[0], "10%", "base, same 10% window", source);
    let mean = |source: &str| of(source).unwrap().difference.mean;
    let net = 0.8 * mean("blogs") + 0.15 * mean("proofs") + 0.05 * mean("puzzles");
    close(found.net.as_ref().unwrap().mean, net);
    assert_eq!(found.general.as_ref().unwrap().verdict, Verdict::NotSignificant);
    let neighbours = question.findings.iter().find_map(|finding| match finding {
        Finding::Ranking(ranking) => Some(&ranking.neighbours[..]),
        _ => None,
    });
    let Some([contrast]) = neighbours else { panic!("two arms") };
    assert!(!contrast.significant && contrast.p == 1.0, "{contrast:?}");
}

#[test]
fn a_removed_source_is_ranked_by_what_its_own_text_loses() {
    let answers = answers();
    let removal = &answers.questions[1];
    let [ranked] = removal.ranking[..] else { panic!("{:?}", removal.ranking) };
    assert_eq!((removal.arms[ranked].label.as_str(), removal.largest_gain), ("− puzzles", None));
    let effects = removal.findings.iter().filter_map(|finding| match finding {
        Finding::Effect(effect) => effect.targeted.as_ref().map(|own| (effect.arm, own)),
        _ => None,
    });
    let [(arm, own)] = effects.collect::<Vec<_>>()[..] else { panic!("one removal") };
    close(own.effect.mean, 0.075);
    assert_eq!((arm, own.verdict), (ranked, Verdict::Worse));
}

#[test]
fn scores_of_other_sequences_are_never_compared() {
    let plan = plan();
    let mut scores = scores(&plan);
    let branch = plan.branches.iter().position(|b| b.name == "upsampled-10pct-r2").unwrap();
    let blogs = SourceName::new("blogs").unwrap();
    scores[branch].as_mut().unwrap().get_mut(&blogs).unwrap().ordinals = vec![7];
    let answers = of_text(&plan, &scores, Vec::new());
    let question = &answers.questions[0];
    let of = |name| cell(question, "10%", "base, same 10% window", name);
    assert!(of("blogs").is_none() && of("all").is_none() && of("proofs").is_some());
    let [gap] = &question.gaps[..] else { panic!("{:?}", question.gaps) };
    let cause = Cause::OtherSequences {
        branch: "upsampled-10pct-r2".to_owned(),
        than: "upsampled-10pct-r0".to_owned(),
        source: blogs,
    };
    assert_eq!(gap.why, cause);
    assert_eq!(question.findings[0], Finding::Incomplete { missing: 1, of: 2 });
    assert_eq!(question.findings[1], Finding::NotCompared { gap: 0 });
}

#[test]
fn one_replicate_is_shown_and_never_ranked() {
    let plan = sparkjoy_kit::plan(&invented::STUDY.replace("replicates = 3", "replicates = 1"));
    let plan = plan.unwrap_or_else(|error| panic!("{error}"));
    let answers = of_text(&plan, &scores(&plan), Vec::new());
    let question = &answers.questions[0];
    let targeted = question.arms[0].cells[1].as_ref().unwrap();
    assert_eq!((&targeted.effect, targeted.verdict), (&None, Verdict::NotSignificant));
    assert!(question.ranking.is_empty() && question.largest_gain.is_none());
    assert_eq!(question.findings[0], Finding::SingleReplicate);
}

#[test]
fn a_removal_is_compared_with_the_full_mixture_and_with_base() {
    let answers = answers();
    let removal = &answers.questions[1];
    let arm = "− puzzles";
    let full = cell(removal, arm, "upsampled, same 10% window", "puzzles").unwrap();
    // The same noise on both sides: 0.875 − 0.8 in every replicate.
    close(full.difference.mean, 0.075);
    assert_eq!(full.verdict, Verdict::NotTested);
    let base = cell(removal, arm, "base, same 10% window", "puzzles").unwrap();
    close(base.difference.mean, -0.025 + 0.005 / 3.0);
}

#[test]
fn scopes_tell_what_was_upsampled() {
    let answers = answers();
    let shares: Vec<_> = answers.questions[0]
        .scopes
        .iter()
        .filter_map(|scope| Some((scope.base?.0 / 10_000, scope.upsampled?.0 / 10_000)))
        .collect();
    // All; math, web; proofs, puzzles, blogs.
    assert_eq!(shares, [(100, 100), (20, 50), (80, 50), (15, 25), (5, 25), (80, 50)]);
}

#[test]
fn unseen_text_is_a_family_of_its_own_and_in_no_other_figure() {
    let (without, with) = (answers(), invented::answers_with_unseen());
    for (question, before) in with.questions.iter().zip(&without.questions) {
        assert_eq!(
            question.unseen.iter().map(SourceName::as_str).collect::<Vec<_>>(),
            ["laws", "poems"]
        );
        // Whatever was there before is as it was, marks and corrected p included.
        for (arm, old) in question.arms.iter().zip(&before.arms) {
            let of = |scope: &Scope| question.scopes.iter().position(|it| it.what == scope.what);
            for (scope, cell) in before.scopes.iter().zip(&old.cells) {
                assert_eq!(arm.cells[of(scope).unwrap()], *cell, "{scope:?}");
            }
        }
        let others = |finding: &&Finding| !matches!(finding, Finding::Unseen { .. });
        let kept: Vec<&Finding> = question.findings.iter().filter(others).collect();
        assert_eq!(kept, before.findings.iter().collect::<Vec<_>>());
    }
    assert!(
        without
            .questions
            .iter()
            .all(|question| question.scopes.iter().all(|scope| scope.what != What::Unseen))
    );

    let duration = &with.questions[0];
    let of = |name| cell(duration, "10%", "base, same 10% window", name).unwrap();
    let noise = (0.0 + 0.001 + 0.004) / 3.0;
    close(of("unseen").difference.mean, 0.02 + noise);
    assert_eq!(of("unseen").verdict, Verdict::Worse);
    let effect = of("unseen").effect.as_ref().unwrap();
    close(of("unseen").adjusted_p.unwrap(), 2.0 * effect.p);
    // A domain of unseen sources alone is theirs; one that is trained on leaves them out.
    close(of("law").difference.mean, 0.02 + noise);
    close(of("web").difference.mean, noise);
    assert_eq!(of("poems").verdict, Verdict::NotTested);

    let found = duration.findings.iter().find_map(|finding| match finding {
        Finding::Unseen { effects } => Some(effects),
        _ => None,
    });
    let [ten, twenty] = &found.unwrap()[..] else { panic!("two windows") };
    assert_eq!((ten.arm, twenty.arm, &ten.scope), (0, 1, &What::Unseen));
    assert_eq!(ten.tested.family, Family { of: FamilyKind::Unseen, comparisons: 2 });
    let json = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Answers>(&json).unwrap(), with);
}

#[test]
fn a_missing_replicate_is_a_missing_comparison_and_nothing_else_is() {
    let whole = answers();
    let answers = unfinished("upsampled-10pct-r1");
    assert_eq!(answers.missing, ["upsampled-10pct-r1"]);
    let present = |answer: &Answer, arm, control| cell(answer, arm, control, "math").is_some();
    let [duration, removal] = &answers.questions[..] else { panic!("two questions") };
    assert!(!present(duration, "10%", "base, same 10% window"));
    assert!(present(duration, "20%", "base, same 20% window"));
    // As a control it is missing too.
    assert!(!present(removal, "− puzzles", "upsampled, same 10% window"));
    assert!(present(removal, "− puzzles", "base, same 10% window"));
    for (part, all) in answers.questions.iter().zip(&whole.questions) {
        for (part, all) in part.arms.iter().zip(&all.arms) {
            for (part, all) in part.cells.iter().zip(&all.cells) {
                assert!(part.is_none() || part == all, "a number changed");
            }
        }
    }
}

#[test]
fn a_source_that_was_not_scored_is_missing_wherever_it_counts() {
    let plan = plan();
    let mut scores = scores(&plan);
    for score in scores.iter_mut().flatten() {
        score.remove(&SourceName::new("puzzles").unwrap());
    }
    let answers = of_text(&plan, &scores, Vec::new());
    let control = "base, same 10% window";
    let of = |name| cell(&answers.questions[0], "10%", control, name);
    assert!(of("all").is_none() && of("math").is_none() && of("puzzles").is_none());
    assert!(of("web").is_some() && of("proofs").is_some());
}

#[test]
fn what_is_missing_comes_before_what_is_there() {
    let answers = unfinished("upsampled-10pct-r1");
    let first = &answers.questions[0].findings[0];
    assert_eq!(*first, Finding::Incomplete { missing: 1, of: 2 });
}

#[test]
fn answers_survive_their_json() {
    let answers = answers();
    let json = serde_json::to_string(&answers).unwrap();
    assert_eq!(serde_json::from_str::<Answers>(&json).unwrap(), answers);
}

#[test]
fn noise_that_branch_and_control_share_takes_no_power() {
    let plan = plan();
    let mut scores = scores(&plan);
    let before = power(&plan, &scores).unwrap();
    assert!(before.pairs > 0);
    let least = |power: &Power| -> Vec<[f64; 2]> {
        power.questions.iter().flat_map(|q| &q.scopes).map(|scope| scope.least).collect()
    };
    assert!(least(&before).iter().all(|[low, high]| *low > 0.0 && low == high), "{before:?}");
    // Every branch of a replicate is worse by the same factor.
    for (branch, scores) in plan.branches.iter().zip(&mut scores) {
        for score in scores.iter_mut().flat_map(|scores| scores.values_mut()) {
            let factor = 1.0 + 0.1 * f64::from(branch.replicate);
            score.nats.iter_mut().for_each(|nats| *nats *= factor);
        }
    }
    for (one, other) in least(&power(&plan, &scores).unwrap()).iter().zip(least(&before)) {
        assert!((one[0] / other[0] - 1.0).abs() < 1e-9, "{one:?} {other:?}");
    }
    // Nothing is scored: a range.
    let unknown = power(&plan, &vec![None; scores.len()]).unwrap();
    assert_eq!(unknown.pairs, 0);
    assert!(least(&unknown).iter().all(|[low, high]| *high > 20.0 * low), "{unknown:?}");
}
