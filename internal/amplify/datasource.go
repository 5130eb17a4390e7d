package amplify

import (
	"net/url"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
)

// dataSources lists the data sources in source order. CDK keeps construct ids
// apart and AppSync names, so a second of either is an error that shows both.
func dataSources(r recording, found *findings) []backend.DataSource {
	var sources []backend.DataSource
	taken := map[string]position{} // by id and by name
	for _, ds := range r.DataSources {
		if first, ok := firstOf(taken, "id "+ds.ID, "name "+ds.Name); ok {
			found.fail("duplicate-data-source", ds.At, "rename one of the two",
				"data source %s: there is already one at %s", ds.Name, first)
			continue
		}
		taken["id "+ds.ID], taken["name "+ds.Name] = ds.At, ds.At
		source := backend.DataSource{Name: ds.Name, Kind: ds.Kind, At: ds.At.String()}
		switch ds.Kind {
		case backend.HTTP:
			source.Endpoint = ds.Endpoint
			source.Principal = ds.Name
			source.SigningRegion, source.SigningService = ds.SigningRegion, ds.SigningService
			checkEndpoint(ds, found)
		case backend.None:
		default:
			found.warn("unsupported-data-source", ds.At, "nothing, as long as no field that uses it is called",
				"data source %s: kind %s is recorded but has no engine here", ds.Name, ds.Kind)
		}
		sources = append(sources, source)
	}
	return sources
}

// checkEndpoint finds an endpoint that no request can go to.
func checkEndpoint(ds dataSourceRecord, found *findings) {
	u, err := url.Parse(ds.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		found.fail("invalid-endpoint", ds.At, "write it like https://bedrock-runtime.us-east-1.amazonaws.com",
			"data source %s: the endpoint %q is not an http or https URL", ds.Name, ds.Endpoint)
	}
}

func firstOf(taken map[string]position, keys ...string) (position, bool) {
	for _, key := range keys {
		if at, ok := taken[key]; ok {
			return at, true
		}
	}
	return position{}, false
}

// modelTables are the tables of models that handlers name as data sources,
// a.ref("Todo") for TodoTable.
func modelTables(b *backend.Backend, document *ast.SchemaDocument) []backend.DataSource {
	used := map[string]bool{}
	for _, op := range b.Operations {
		for _, f := range op.Pipeline {
			used[f.DataSource] = true
		}
	}
	var tables []backend.DataSource
	for _, definition := range document.Definitions {
		if table := definition.Name + "Table"; isModel(definition) && used[table] {
			tables = append(tables, backend.DataSource{Name: table, Kind: "AMAZON_DYNAMODB"})
		}
	}
	return tables
}

func isModel(definition *ast.Definition) bool {
	return definition.Directives.ForName("model") != nil
}

// checkDataSources finds the data sources that handlers name and nothing
// defines. Amplify does not look; AppSync refuses them at deployment.
func checkDataSources(b *backend.Backend, found *findings) {
	defined := []string{backend.NoneDataSource}
	for _, ds := range b.DataSources {
		defined = append(defined, ds.Name)
	}
	for _, op := range b.Operations {
		for _, f := range op.Pipeline {
			if !slices.Contains(defined, f.DataSource) {
				found.fail("unknown-data-source", parsePosition(op.At),
					"name one of "+strings.Join(defined, ", ")+", or add it in "+entryPoint,
					"%s.%s: nothing defines the data source %s", op.Type, op.Field, f.DataSource)
			}
		}
	}
}
