//! Pages of invented studies.

#[cfg(test)]
mod invented;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod paper;
#[cfg(test)]
mod studies;
