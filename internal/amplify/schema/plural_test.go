package schema

import "testing"

func TestPlural(t *testing.T) {
	for name, want := range map[string]string{
		"Todo": "Todos", "Category": "Categories", "Day": "Days", "Box": "Boxes", "Address": "Addresses", "Status": "Statuses",
		"Settings": "Settings", "Person": "People", "SalesPerson": "SalesPeople", "Child": "Children", "Woman": "Women",
		"Quiz": "Quizzes", "Knife": "Knives", "Analysis": "Analyses", "Hero": "Heroes", "Photo": "Photos", "News": "News",
		"ConversationChat": "ConversationChats", "M": "MS", "FAQ": "FAQS", "Index": "Indices", "Price": "Prices", "todo": "todos", "": "",
	} {
		if got := plural(name); got != want {
			t.Errorf("plural(%q) = %q, want %q", name, got, want)
		}
	}
}
