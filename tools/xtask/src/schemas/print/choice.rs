//! A choice of elements becomes an enum.

use super::Printer;
use super::names::{field_case, type_case};
use crate::schemas::model::Choice;

impl Printer<'_> {
    pub(super) fn choice(&mut self, item: &Choice) {
        self.uses(&[
            "Children",
            "Cow",
            "DecodeError",
            "Encode",
            "EncodeError",
            "Encoder",
        ]);
        let name = &item.name;
        self.line(format!(
            "/// One of the elements of the choice `{}`.",
            field_case(name)
        ));
        self.line("#[derive(Debug, Clone, PartialEq, Eq)]");
        self.line(format!("pub enum {name} {{"));
        for (element, type_name, docs) in &item.alternatives {
            let type_name = self.type_used(type_name);
            let docs = if docs.is_empty() {
                format!("The element `{element}`.")
            } else {
                docs.clone()
            };
            self.docs(&docs);
            self.line(format!("{}({type_name}),", type_case(element)));
        }
        if item.foreign {
            self.uses(&["Foreign"]);
            self.line("/// An element of another namespace: its name only.\nForeign(Foreign),");
        }
        self.line("}\n");
        self.choice_methods(item);
        self.choice_write(item);
    }

    fn choice_methods(&mut self, item: &Choice) {
        self.line(format!("impl {} {{", item.name));
        self.line(
            "/// The name of the element: its local name, preceded by its namespace in\n\
             /// braces unless that is Kith's.\n#[must_use]\n\
             pub fn kind(&self) -> Cow<'_, str> {\nmatch self {",
        );
        for (element, ..) in &item.alternatives {
            self.line(format!(
                "Self::{}(_) => Cow::Borrowed({element:?}),",
                type_case(element)
            ));
        }
        if item.foreign {
            self.line("Self::Foreign(foreign) => Cow::Owned(foreign.to_string()),");
        }
        self.line("}\n}\n");
        self.line(
            "fn choose(children: &mut Children<'_, '_>) -> Result<Option<Self>, DecodeError> {\n\
             Ok(Some(match children.name() {",
        );
        for (element, ..) in &item.alternatives {
            self.line(format!(
                "Some({element:?}) => Self::{}(children.one({element:?})?),",
                type_case(element)
            ));
        }
        if item.foreign {
            self.line("_ => return Ok(children.foreign_name()?.map(Self::Foreign)),");
        } else {
            self.line("_ => return Ok(None),");
        }
        self.line("}))\n}\n}\n");
    }

    fn choice_write(&mut self, item: &Choice) {
        self.line(format!("impl Encode for {} {{", item.name));
        self.line(
            "/// The name is that of the alternative, not of the choice.\n\
             fn write(&self, _: &'static str, out: &mut Encoder) -> Result<(), EncodeError> {\n\
             match self {",
        );
        for (element, ..) in &item.alternatives {
            self.line(format!(
                "Self::{}(value) => value.write({element:?}, out),",
                type_case(element)
            ));
        }
        if item.foreign {
            self.uses(&["EncodeReason"]);
            self.line("Self::Foreign(_) => Err(out.error(EncodeReason::Foreign)),");
        }
        self.line("}\n}\n}\n");
    }
}

/// What can stand there, for people.
pub(super) fn expected(item: &Choice) -> String {
    let elements = item
        .alternatives
        .iter()
        .map(|(element, ..)| element.as_str());
    let foreign = item.foreign.then_some("an element of another namespace");
    elements.chain(foreign).collect::<Vec<_>>().join(", ")
}
