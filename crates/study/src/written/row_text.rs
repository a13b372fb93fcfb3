//! Reads what the keys of a source say of its rows: which are read, and what their text is.

use sparkjoy_base::Problem;
use sparkjoy_base::toml_file::{Item, TomlTable};
use sparkjoy_data::{BLANK_LINE, Filter, MESSAGE, RowText, Rows, Template};

/// Reads `text_field`, `template`, `messages`, `separator`, `documents` and `where`.
pub(super) fn rows(table: &mut TomlTable<'_>) -> Result<Rows, Problem> {
    let (field, messages) = (table.optional("text_field"), table.optional("messages"));
    let (template, separator) = (table.optional("template"), table.optional("separator"));
    let (lines, filter) = (table.optional("documents"), table.optional("where"));
    let text = text(field, messages, template, separator.as_ref())?;
    let lines = match lines {
        None => false,
        Some(item) => item.choice(&["files", "lines"])? == "lines",
    };
    let filter = match filter {
        None => None,
        Some(item) => Some(condition(&item)?),
    };
    Ok(Rows { text, lines, filter })
}

fn text(
    field: Option<Item<'_>>,
    messages: Option<Item<'_>>,
    template: Option<Item<'_>>,
    separator: Option<&Item<'_>>,
) -> Result<RowText, Problem> {
    if let (Some(field), Some(_)) = (&field, &messages) {
        let text = "`text_field` beside `messages`, expected one of the two";
        return Err(field.problem(text));
    }
    let joins = messages.is_some() || field.as_ref().is_some_and(Item::is_list);
    if let Some(separator) = separator.filter(|_| !joins) {
        let text = "`separator` joins several fields or messages, and the source has one text";
        let hint = "name several: `text_field = [\"instruction\", \"output\"]`";
        return Err(separator.problem(text).with_hint(hint));
    }
    let between = || -> Result<String, Problem> {
        match separator {
            None => Ok(BLANK_LINE.to_owned()),
            Some(item) => Ok(item.string("a text in quotes")?.to_owned()),
        }
    };
    if let Some(messages) = messages {
        let template = match &template {
            None => Template::of_message(MESSAGE).map_err(|it| messages.problem(it))?,
            Some(item) => parsed(item, Template::of_message)?,
        };
        let field = messages.string("the name of a field in quotes")?.to_owned();
        return Ok(RowText::Messages { field, template, separator: between()? });
    }
    match (field, template) {
        (None, None) => Ok(Rows::default().text),
        (None, Some(template)) => Ok(RowText::Template(parsed(&template, Template::parse)?)),
        (Some(field), Some(_)) => {
            let text = "`text_field` beside `template`, which names its fields itself";
            Err(field.problem(text).with_hint("leave `text_field` out"))
        }
        (Some(field), None) if field.is_list() => {
            let expected = "the name of a field in quotes, or a list of them";
            let separator = between()?;
            Ok(RowText::Fields { fields: field.strings(expected)?, separator })
        }
        (Some(field), None) => {
            Ok(RowText::Field(field.string("the name of a field in quotes")?.to_owned()))
        }
    }
}

fn parsed(
    item: &Item<'_>,
    parse: impl Fn(&str) -> Result<Template, String>,
) -> Result<Template, Problem> {
    let written = item.string("a text with fields in braces, in quotes")?;
    parse(written).map_err(|why| item.problem(format!("`{}`: {why}", item.key())))
}

fn condition(item: &Item<'_>) -> Result<Filter, Problem> {
    let written = item.string("a condition in quotes, such as 'score >= 3'")?;
    Filter::parse(written).map_err(|why| {
        let hint = "write it so: where = 'score >= 3 and lang == \"en\"'";
        item.problem(format!("`{}`: {why}", item.key())).with_hint(hint)
    })
}
