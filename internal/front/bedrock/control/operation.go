package control

import "net/http"

// operation is one operation of the API.
type operation struct {
	name   string // as the API has it
	status int    // of success
	run    func(*Front, *call) (answer any, err error)
}

// action is the IAM action that permits the operation.
func (o operation) action() string { return "bedrock:" + o.name }

// operations by the form of their path and their method (facts: the http trait of
// each operation in the Smithy model).
var operations = map[resource]map[string]operation{
	profiles: {
		http.MethodGet:  {"ListInferenceProfiles", http.StatusOK, (*Front).listInferenceProfiles},
		http.MethodPost: {"CreateInferenceProfile", http.StatusCreated, (*Front).createInferenceProfile},
	},
	profile: {
		http.MethodGet:    {"GetInferenceProfile", http.StatusOK, (*Front).getInferenceProfile},
		http.MethodDelete: {"DeleteInferenceProfile", http.StatusOK, (*Front).deleteInferenceProfile},
	},
	models:   {http.MethodGet: {"ListFoundationModels", http.StatusOK, (*Front).listFoundationModels}},
	model:    {http.MethodGet: {"GetFoundationModel", http.StatusOK, (*Front).getFoundationModel}},
	listTags: {http.MethodPost: {"ListTagsForResource", http.StatusOK, (*Front).listTagsForResource}},
	addTags:  {http.MethodPost: {"TagResource", http.StatusOK, (*Front).tagResource}},
	dropTags: {http.MethodPost: {"UntagResource", http.StatusOK, (*Front).untagResource}},
}
