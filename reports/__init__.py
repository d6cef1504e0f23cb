"""What a drill looked like: a record, its history and its evidence as HTML, Markdown and properties; all of it pure."""
