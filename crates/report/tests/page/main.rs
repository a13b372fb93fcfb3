//! Pages of invented studies.

#[cfg(test)]
mod invented;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod studies;
