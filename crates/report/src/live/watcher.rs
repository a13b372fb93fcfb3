//! Looks at the disk once a second and says what it has seen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sparkjoy_lab::{JobView, Sign, job_views, signs};
use tokio::sync::watch;

use crate::live::picture::{Found, Picture};
use crate::live::progress::Progress;
use crate::live::snapshot::{Snapshot, put};
use crate::live::subject::{Planned, Subject};
use crate::live::tail::Tail;
use crate::live::tree::{About, Tree};

/// Between looks.
const LOOK: Duration = Duration::from_secs(1);
/// Between looks while a long file is being read.
const READ_ON: Duration = Duration::from_millis(20);
/// The folders of all runs are looked through when a job begins or ends, and this often besides:
/// another study, or a copy from elsewhere, may have added to them.
const LOOK_THROUGH: Duration = Duration::from_secs(15);
/// Curves that are kept though nobody looks at them any more.
const KEPT_CURVES: usize = 16;

/// What pages want to see, and the call to look at once.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// How many pages look at the curve of each run.
    curves: Mutex<BTreeMap<String, usize>>,
    wake: Condvar,
    stop: AtomicBool,
}

/// A page's wish to see curves; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Wish {
    wishes: Arc<Wishes>,
    pub(crate) runs: Vec<String>,
}

impl Wishes {
    /// Wants the curves of `runs` from now on.
    pub(crate) fn want(self: &Arc<Self>, runs: Vec<String>) -> Wish {
        let mut curves = self.curves();
        for run in &runs {
            *curves.entry(run.clone()).or_default() += 1;
        }
        drop(curves);
        self.wake.notify_all();
        Wish { wishes: Arc::clone(self), runs }
    }

    /// Ends the watching.
    pub(crate) fn stop(&self) {
        let _curves = self.curves();
        self.stop.store(true, Ordering::Relaxed);
        self.wake.notify_all();
    }

    fn curves(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.curves.lock().expect("nothing under this lock panics")
    }

    /// Waits until it is time to look, or a wish is new; the runs whose curves are wanted.
    fn wait(&self, time: Duration, known: &[String]) -> Vec<String> {
        let curves = self.curves();
        let nothing_new = |curves: &mut BTreeMap<String, usize>| {
            curves.keys().all(|run| known.contains(run)) && !self.stop.load(Ordering::Relaxed)
        };
        let (curves, _) = self
            .wake
            .wait_timeout_while(curves, time, nothing_new)
            .expect("nothing under this lock panics");
        curves.keys().cloned().collect()
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        let mut curves = self.wishes.curves();
        for run in &self.runs {
            if let Some(count) = curves.get_mut(run) {
                *count -= 1;
                if *count == 0 {
                    curves.remove(run);
                }
            }
        }
    }
}

/// Looks until it is stopped, and tells `said` whenever something has changed.
pub(crate) fn watch(subject: Subject, wishes: &Wishes, said: &watch::Sender<Arc<Snapshot>>) {
    let mut watcher = Watcher::new(subject);
    let mut wanted = Vec::new();
    while !wishes.stop.load(Ordering::Relaxed) {
        watcher.look(&wanted);
        said.send_if_modified(|before| {
            let changed = watcher.changed;
            if changed {
                *before = Arc::new(watcher.snapshot.clone());
            }
            changed
        });
        let time = if watcher.behind() { READ_ON } else { LOOK };
        wanted = wishes.wait(time, &wanted);
    }
}

struct Watcher {
    planned: Planned,
    tree: Option<Tree>,
    jobs: Vec<JobView>,
    signs: Vec<(Sign, bool)>,
    looked_through: Option<Instant>,
    tails: BTreeMap<String, Tail>,
    snapshot: Snapshot,
    changed: bool,
}

impl Watcher {
    fn new(subject: Subject) -> Self {
        Self {
            planned: Planned::new(subject),
            tree: None,
            jobs: Vec::new(),
            signs: Vec::new(),
            looked_through: None,
            tails: BTreeMap::new(),
            snapshot: Snapshot::default(),
            changed: true,
        }
    }

    fn behind(&self) -> bool {
        self.tails.values().any(|tail| tail.behind)
    }

    fn look(&mut self, wanted: &[String]) {
        self.changed = self.planned.refresh();
        if self.changed {
            self.replan();
        }
        self.look_at_jobs();
        self.look_at_curves(wanted);
    }

    /// Another plan: nothing of the one before holds.
    fn replan(&mut self) {
        (self.tree, self.looked_through) = (None, None);
        self.tails.clear();
        self.snapshot = Snapshot::default();
        let parts = &mut self.snapshot.parts;
        let subject = self.planned.subject();
        put(parts, "file", &subject.study.display().to_string());
        match self.planned.plan() {
            Some(Ok(plan)) => {
                let tree = Tree::new(plan, &subject.runs);
                put(parts, "about", &About::new(plan));
                put(parts, "tree", &tree);
                put(parts, "runs", &tree.runs.iter().map(|run| &run.id).collect::<Vec<_>>());
                self.snapshot.runs = tree.runs.iter().map(|run| run.id.clone()).collect();
                self.tree = Some(tree);
            }
            Some(Err(trouble)) => put(parts, "trouble", trouble),
            None => {}
        }
    }

    fn look_at_jobs(&mut self) {
        let (Some(Ok(plan)), Some(tree)) = (self.planned.plan(), &self.tree) else { return };
        let runs = &self.planned.subject().runs;
        let signs = signs(plan, runs);
        if signs == self.signs && self.looked_through.is_some_and(|t| t.elapsed() < LOOK_THROUGH) {
            return;
        }
        if self.looked_through.is_none_or(|time| time.elapsed() >= LOOK_THROUGH)
            || which(&signs) != which(&self.signs)
        {
            self.jobs = job_views(plan, runs);
            self.looked_through = Some(Instant::now());
        }
        self.signs = signs;
        let picture = Picture::new(tree, &Found { jobs: &self.jobs, signs: &self.signs });
        let progress = Progress::new(tree, &self.jobs, &picture);
        let before = self.snapshot.parts.clone();
        let parts = &mut self.snapshot.parts;
        for (run, of_run) in &picture.runs {
            put(parts, format!("run/{run}"), of_run);
        }
        put(parts, "progress", &progress);
        put(parts, "doing", &picture.doing);
        put(parts, "failing", &picture.failing);
        self.changed |= crate::live::snapshot::changes(&before, parts).is_some();
    }

    fn look_at_curves(&mut self, wanted: &[String]) {
        let Some(tree) = &self.tree else { return };
        for run in wanted.iter().filter_map(|run| tree.run(run)) {
            let tail = self.tails.entry(run.id.clone()).or_insert_with(|| Tail::new(&run.folder));
            let new = !self.snapshot.curves.contains_key(&run.id);
            if tail.read_on() || new {
                self.snapshot.curves.insert(run.id.clone(), Arc::new(tail.clone()));
                self.changed = true;
            }
        }
        while self.tails.len() > KEPT_CURVES.max(wanted.len()) {
            let Some(run) = self.tails.keys().find(|run| !wanted.contains(run)).cloned() else {
                break;
            };
            self.tails.remove(&run);
            self.snapshot.curves.remove(&run);
        }
    }
}

/// What tells whether a job has begun or ended.
fn which(signs: &[(Sign, bool)]) -> Vec<(&str, u64, bool, bool)> {
    let which = signs
        .iter()
        .map(|(sign, lives)| (sign.job.as_str(), sign.began, *lives, sign.failed.is_some()));
    which.collect()
}
