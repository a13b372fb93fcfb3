//! `transfer`: another question, asked of other models or about other mixtures.

use sparkjoy_base::Problem;
use sparkjoy_base::toml_file::{Item, Placed, TomlTable};

use super::super::training::Size;
use super::selection::twice;
use super::{Known, Question};

const MODELS: &str = "a list of tables such as { layers = 4, width = 128, heads = 4 }";
const MIXTURES: &str = "a list of mixtures in quotes";

impl Known<'_> {
    /// Reads what is transferred, and where to. `before`: the questions above this one.
    pub(super) fn transfer(
        &self,
        table: &mut TomlTable<'_>,
        before: &[Question],
    ) -> Result<Question, Problem> {
        let expected = "the number of a question above this one, from 1";
        let item = table.required("of", expected)?;
        let number = item.whole(1, expected)?;
        let line = item.line();
        let of = usize::try_from(number - 1).ok().filter(|&of| of < before.len());
        let Some(of) = of.filter(|&of| !matches!(before[of], Question::Transfer { .. })) else {
            let above = match before.len() {
                0 => "there is none".to_owned(),
                above => format!("there are {above}"),
            };
            return Err(item.problem(format!(
                "`of` is {number}, expected the number of a question above that is no transfer \
                 itself ({above})"
            )));
        };
        let models = table.optional("models").map_or(Ok(vec![]), |items| items.list(MODELS))?;
        let models =
            models.into_iter().map(|item| self.size(item)).collect::<Result<Vec<_>, _>>()?;
        let named = table.optional("mixtures").map_or(Ok(vec![]), |items| items.list(MIXTURES))?;
        let mixtures: Vec<Placed<String>> =
            named.iter().map(|item| self.mixture(item)).collect::<Result<_, _>>()?;
        if let Some(twin) =
            (1..models.len()).find(|&i| models[..i].iter().any(|m| m.value == models[i].value))
        {
            let text = twice("models", &models[twin].value.to_string());
            return Err(table.source().problem(models[twin].line, text));
        }
        if models.is_empty() && mixtures.is_empty() {
            let text = "a `transfer` question names neither `models` nor `mixtures`, expected at \
                        least one";
            return Err(table.problem(text).with_hint(
                "write `models = [{ layers = 2, width = 64, heads = 2 }]`, or `mixtures = [\"a\"]`",
            ));
        }
        if !mixtures.is_empty() && matches!(before[of], Question::Proportion { .. }) {
            let text = format!(
                "question {number} compares mixtures itself, so it cannot be asked about other \
                 `mixtures`"
            );
            return Err(table.source().problem(mixtures[0].line, text));
        }
        Ok(Question::Transfer { of: Placed { value: of, line }, models, mixtures })
    }

    fn size(&self, item: Item<'_>) -> Result<Placed<Size>, Problem> {
        let line = item.line();
        let mut table = item.table()?;
        let (size, _) = Size::read(&mut table)?;
        let file = table.source();
        table.finish()?;
        let own = self.model.size();
        if size == own {
            let text = format!("`models` names {size}, the study's own model, expected another");
            return Err(file.problem(line, text));
        }
        Ok(Placed { value: size, line })
    }
}
