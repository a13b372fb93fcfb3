//! Everything of a study under one name, while the rooms it was move out.

mod report;

pub use report::{report_csv, report_markdown, report_text, wrap, write_report};
pub use sparkjoy_answers::{
    Answer, Answers, ArmAnswer, Checked, CheckedSource, CheckedTask, Comparison, Computed, Control,
    Cost, Finding, FindingKind, FoundItem, Gap, Holds, Measure, QuestionCost, Results, Scope, Seen,
    Sight, Spread, TaskAnswer, TrunkPoint, TrunkScore, Verdict, What, answers, mixed, sight,
};
pub use sparkjoy_draft::{Draft, DraftError, DraftSource, draft};
pub use sparkjoy_eval::{FailedTask, MissingTask, Scorecard};
pub use sparkjoy_jobs::{
    At, ChangedSetting, Event, ExecutionError, HEARTBEAT_EVERY, Heartbeat, Inputs, JobCost,
    JobError, JobError as LabError, JobFailure, JobKind, JobRun, JobState, JobTime, JobView,
    Places, PlannedJob, Programs, RecentThroughput, Resources, TaskRequest, TaskWork, Watcher,
    branch_folder, changed_settings, checked, corpora, heartbeats, held_out, job_states, job_views,
    open_corpora, planned_jobs, results, run, score_tasks, study_folder, text_is_gone, timings,
    trunk_folder,
};
pub use sparkjoy_stats::{Agreement, Effect};
pub use sparkjoy_study::{
    Account, Arm, Ask, Branch, EPOCHS_WORTH_READING, Effort, Evaluation, Import, Note, Plan,
    PlanSource, QuestionPlan, Role, STUDY_TEMPLATE, Setting, SourceInput, Study, StudyError,
    StudyTokenizer, TaskPlan, TreeCost, Trunk, select_tasks,
};
