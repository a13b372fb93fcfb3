//! What a world promises: the same bytes everywhere, tasks that no text answers, a truth that is
//! true.

#[cfg(test)]
mod disk;
#[cfg(test)]
mod tasks;
#[cfg(test)]
mod text;
