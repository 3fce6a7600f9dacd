// Package openapitest holds the OpenAPI document against the specification, and
// JSON against the document.
package openapitest

import (
	"bytes"
	_ "embed" // of the specification's schema
	"encoding/json"
	"fmt"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/weirhq/weir/controlplane/internal/openapi"
)

// specification is https://spec.openapis.org/oas/3.1/schema/2022-10-07.
//
//go:embed testdata/openapi-3.1.json
var specification []byte

// Valid fails where the document is none of OpenAPI 3.1.
func Valid(t testing.TB) {
	t.Helper()
	schema, err := compiler(t, "specification.json", specification).Compile("specification.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(parsed(t, openapi.Document())); err != nil {
		t.Errorf("%#v", err)
	}
}

// Schemas are the document's, by name, with formats asserted.
type Schemas map[string]*jsonschema.Schema

// Compile makes every schema of the document; what one refers to has to be there.
func Compile(t testing.TB) Schemas {
	t.Helper()
	var document struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openapi.Document(), &document); err != nil {
		t.Fatal(err)
	}
	c, all := compiler(t, "openapi.json", openapi.Document()), Schemas{}
	c.AssertFormat()
	for name := range document.Components.Schemas {
		schema, err := c.Compile("openapi.json#/components/schemas/" + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = schema
	}
	return all
}

// Check holds JSON text against the schema of that name.
func (s Schemas) Check(name string, text []byte) error {
	schema, ok := s[name]
	if !ok {
		return fmt.Errorf("the document has no schema %s", name)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := schema.Validate(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func compiler(t testing.TB, name string, text []byte) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, parsed(t, text)); err != nil {
		t.Fatal(err)
	}
	return c
}

func parsed(t testing.TB, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
