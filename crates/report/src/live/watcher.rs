//! Looks at the disk once a second and says what it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sparkjoy_answers::Answers;
use sparkjoy_base::{Fingerprint, read};
use sparkjoy_jobs::{Heartbeat, JobView, heartbeats, job_views, study_folder};
use tokio::sync::watch;

use super::detail::Detail;
use super::picture::{Found, Picture, State};
use super::progress::StudyProgress;
use super::snapshot::{Snapshot, put};
use super::subject::{Planned, Stamp, Subject};
use super::tail::Tail;
use super::tree::{About, Tree};
use super::view::View;
use super::{lanes, study};

/// Between looks.
const LOOK: Duration = Duration::from_secs(1);
/// Between looks while a long file is being read.
const READ_ON: Duration = Duration::from_millis(20);
/// The folders of all runs are looked through when a job begins or ends, and this often besides:
/// another study, or a copy from elsewhere, may have added to them.
const LOOK_THROUGH: Duration = Duration::from_secs(15);
/// Curves and views that are kept though nobody looks at them any more.
const KEPT: usize = 16;

/// What pages want to see, and the call to look at once.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// How many pages look at each view.
    views: Mutex<BTreeMap<View, usize>>,
    wake: Condvar,
    stop: AtomicBool,
}

/// A page's wish to see something; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Wish {
    wishes: Arc<Wishes>,
    view: View,
}

impl Wishes {
    pub(crate) fn want(self: &Arc<Self>, view: View) -> Wish {
        *self.views().entry(view.clone()).or_default() += 1;
        self.wake.notify_all();
        Wish { wishes: Arc::clone(self), view }
    }

    pub(crate) fn stop(&self) {
        let _views = self.views();
        self.stop.store(true, Ordering::Relaxed);
        self.wake.notify_all();
    }

    fn views(&self) -> std::sync::MutexGuard<'_, BTreeMap<View, usize>> {
        self.views.lock().expect("nothing under this lock panics")
    }

    /// Waits until it is time to look, or a wish is new; what is wanted.
    fn wait(&self, time: Duration, known: impl Fn(&View) -> bool) -> Vec<View> {
        let nothing_new = |views: &mut BTreeMap<View, usize>| {
            views.keys().all(&known) && !self.stop.load(Ordering::Relaxed)
        };
        let (views, _) = self
            .wake
            .wait_timeout_while(self.views(), time, nothing_new)
            .expect("nothing under this lock panics");
        views.keys().cloned().collect()
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        let mut views = self.wishes.views();
        if let Some(count) = views.get_mut(&self.view) {
            *count -= 1;
            if *count == 0 {
                views.remove(&self.view);
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
        // A view that cannot be shown yet is no reason to look all the time.
        let known =
            |view: &View| wanted.contains(view) || watcher.snapshot.views.contains_key(view);
        wanted = wishes.wait(time, known);
    }
}

struct Watcher {
    planned: Planned,
    about: Option<About>,
    tree: Option<Tree>,
    picture: Option<Picture>,
    jobs: Vec<JobView>,
    heartbeats: Vec<(Heartbeat, bool)>,
    looked_through: Option<Instant>,
    found: Report,
    tails: BTreeMap<String, Tail>,
    snapshot: Snapshot,
    changed: bool,
}

impl Watcher {
    fn new(subject: Subject) -> Self {
        Self {
            planned: Planned::new(subject),
            about: None,
            tree: None,
            picture: None,
            jobs: Vec::new(),
            heartbeats: Vec::new(),
            looked_through: None,
            found: Report::default(),
            tails: BTreeMap::new(),
            snapshot: Snapshot { server: name_of_server(), ..Snapshot::default() },
            changed: true,
        }
    }

    fn behind(&self) -> bool {
        self.tails.values().any(|tail| tail.behind)
    }

    fn look(&mut self, wanted: &[View]) {
        // What changes now gets this version.
        self.snapshot.version += 1;
        self.changed = self.planned.refresh();
        if self.changed {
            self.replan();
        }
        let moved = self.look_at_jobs();
        self.look_at_curves(wanted, moved);
        self.changed |= moved;
        if !self.changed {
            self.snapshot.version -= 1;
        }
    }

    /// Another plan: nothing of the one before holds.
    fn replan(&mut self) {
        (self.about, self.tree, self.picture, self.looked_through) = (None, None, None, None);
        self.tails.clear();
        self.snapshot.parts.clear();
        self.snapshot.views.clear();
        let subject = self.planned.subject();
        let file = subject.study.display().to_string();
        let mut trouble = None;
        match self.planned.plan() {
            Some(Ok(plan)) => {
                self.about = Some(About::new(plan));
                self.tree = Some(Tree::new(plan, &subject.runs));
            }
            Some(Err(found)) => trouble = Some(found),
            None => {}
        }
        self.snapshot.planned = self.tree.is_some();
        self.snapshot.title = study::title(self.about.as_ref(), None);
        let version = self.snapshot.version;
        let parts = &mut self.snapshot.parts;
        put(parts, "head", study::head(&file, self.about.as_ref()), version);
        put(parts, "trouble", study::trouble(trouble), version);
        let list = self.tree.as_ref().map_or_else(lanes::empty, lanes::list);
        put(parts, "tree", list, version);
    }

    /// True if anything is new.
    fn look_at_jobs(&mut self) -> bool {
        let (Some(Ok(plan)), Some(tree)) = (self.planned.plan(), &self.tree) else { return false };
        let subject = self.planned.subject();
        let heartbeats = heartbeats(plan, &subject.runs);
        if heartbeats == self.heartbeats
            && self.looked_through.is_some_and(|t| t.elapsed() < LOOK_THROUGH)
        {
            return false;
        }
        if self.looked_through.is_none_or(|time| time.elapsed() >= LOOK_THROUGH)
            || which(&heartbeats) != which(&self.heartbeats)
        {
            self.jobs = job_views(plan, &subject.runs);
            self.looked_through = Some(Instant::now());
        }
        self.heartbeats = heartbeats;
        let picture = Picture::new(tree, &Found { jobs: &self.jobs, heartbeats: &self.heartbeats });
        let progress = StudyProgress::new(tree, &self.jobs, &picture);
        self.snapshot.title = study::title(self.about.as_ref(), Some(&progress));
        let file = subject.study.display().to_string();
        if progress.all_done() {
            self.found.look(&study_folder(plan, &subject.runs), &plan.fingerprint());
        } else {
            self.found = Report::default();
        }
        self.snapshot.report = self.found.answers.is_some().then(|| self.found.page.clone());
        let (version, parts) = (self.snapshot.version, &mut self.snapshot.parts);
        let whole = [
            ("answers", study::answers(self.found.answers.as_ref())),
            ("overview", study::overview(&file, tree, &progress, &picture.doing)),
            ("failing", study::failing(tree, &picture.failing)),
            ("news", study::news(&picture, &progress)),
        ];
        let mut changed = false;
        for (name, part) in whole {
            changed |= put(parts, name, part, version);
        }
        for (name, row) in lanes::states(tree, &picture.runs) {
            changed |= put(parts, &name, row, version);
        }
        self.picture = Some(picture);
        changed
    }

    /// Draws what is looked at, where it has changed; `moved`: any run has.
    fn look_at_curves(&mut self, wanted: &[View], moved: bool) {
        let (Some(tree), Some(picture)) = (&self.tree, &self.picture) else { return };
        let number = |run: Option<usize>| run.filter(|&run| run < tree.runs.len());
        let shown: Vec<(&View, usize, Option<usize>)> = wanted
            .iter()
            .filter_map(|view| {
                let run = number(view.run).or_else(|| at_work(tree, picture))?;
                Some((view, run, number(view.beside).filter(|&beside| beside != run)))
            })
            .collect();
        let runs: BTreeSet<usize> =
            shown.iter().flat_map(|&(_, run, beside)| beside.into_iter().chain([run])).collect();
        let mut grown = BTreeSet::new();
        for &run in &runs {
            let of_run = &tree.runs[run];
            let tail =
                self.tails.entry(of_run.id.clone()).or_insert_with(|| Tail::new(&of_run.folder));
            let is_done = picture.runs[&of_run.id].state == State::Done;
            if tail.read_on() | (is_done && tail.check()) {
                grown.insert(run);
            }
        }
        let version = self.snapshot.version;
        for (view, run, beside) in shown {
            let ran = grown.contains(&run) || beside.is_some_and(|run| grown.contains(&run));
            if !(moved || ran) && self.snapshot.views.contains_key(view) {
                continue;
            }
            let tail = |run: usize| &self.tails[&tree.runs[run].id];
            let detail = Detail {
                tree,
                view,
                run,
                picture: &picture.runs[&tree.runs[run].id],
                tail: tail(run),
                beside: beside.map(|beside| (beside, tail(beside))),
            };
            let parts = self.snapshot.views.entry(view.clone()).or_default();
            for (name, part) in detail.parts() {
                self.changed |= put(parts, name, part, version);
            }
        }
        let wanted_run = |id: &str| runs.iter().any(|&run| tree.runs[run].id == id);
        drop_until(&mut self.tails, KEPT.max(runs.len()), |id| wanted_run(id));
        drop_until(&mut self.snapshot.views, KEPT.max(wanted.len()), |view| wanted.contains(view));
    }
}

/// The report of a study that is done.
#[derive(Default)]
struct Report {
    seen: Option<Stamp>,
    answers: Option<Answers>,
    page: PathBuf,
}

impl Report {
    /// Reads the report of a study's folder if it is another than before, and one of this plan.
    fn look(&mut self, folder: &Path, plan: &Fingerprint) {
        let path = folder.join("report.json");
        let stamp = Stamp::of(&path);
        if stamp == self.seen {
            return;
        }
        let found = read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let answers = found.filter(|answers: &Answers| answers.plan == *plan);
        *self = Self { seen: stamp, answers, page: folder.join("report.html") };
    }
}

/// Drops what is not wanted until no more than `most` are left.
fn drop_until<K: Ord + Clone, V>(
    kept: &mut BTreeMap<K, V>,
    most: usize,
    wanted: impl Fn(&K) -> bool,
) {
    while kept.len() > most {
        let Some(key) = kept.keys().find(|key| !wanted(key)).cloned() else { break };
        kept.remove(&key);
    }
}

/// Number of the run that is looked at where none was chosen: the one that trains, else one at
/// which anything is done, else the first.
fn at_work(tree: &Tree, picture: &Picture) -> Option<usize> {
    let training = picture.doing.iter().find(|doing| doing.training);
    let doing = training.or(picture.doing.first());
    doing.and_then(|doing| tree.number(&doing.run)).or((!tree.runs.is_empty()).then_some(0))
}

/// A number that the server before did not have.
fn name_of_server() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |time| time.as_nanos() as u64)
}

/// What tells whether a job has begun or ended.
fn which(heartbeats: &[(Heartbeat, bool)]) -> Vec<(&str, u64, bool, bool)> {
    let which = heartbeats.iter().map(|(heartbeat, lives)| {
        (heartbeat.job.as_str(), heartbeat.began, *lives, heartbeat.failed.is_some())
    });
    which.collect()
}
