package main

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// document, and the types below, are the part of OpenAPI 3.1 that is needed here:
// https://spec.openapis.org/oas/v3.1.1.html
type document struct {
	OpenAPI    string                `json:"openapi"`
	Info       info                  `json:"info"`
	Tags       []tag                 `json:"tags"`
	Security   []map[string][]string `json:"security"`
	Paths      map[string]pathItem   `json:"paths"`
	Components components            `json:"components"`
}

type info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type components struct {
	SecuritySchemes map[string]securityScheme `json:"securitySchemes"`
	Parameters      map[string]parameter      `json:"parameters"`
	Responses       map[string]response       `json:"responses"`
	Schemas         map[string]*schema        `json:"schemas"`
}

type securityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme"`
	Description string `json:"description"`
}

const about = `
One POST per RPC, with a JSON object; those that change nothing take a GET too. Names of fields are read in their form
of the proto as well (snake_case), numbers of 64 bits are strings, and a field that is empty is left out of answers.
What this document says of a string is what the server checks before it looks at anything else; more can be wrong.
Answers may have more fields in later versions; requests with a field that the server does not know are refused.`

// newDocument describes every service of these files.
func newDocument(files []protoreflect.FileDescriptor) (*document, error) {
	d := &document{
		OpenAPI: "3.1.0", Info: info{Title: "Weir administration API", Version: "v1"},
		Security: []map[string][]string{{"token": {}}}, Paths: map[string]pathItem{},
		Components: components{
			SecuritySchemes: map[string]securityScheme{"token": {Type: "http", Scheme: "bearer", Description: "Token of a service account."}},
			Parameters:      parameters, Responses: map[string]response{"Error": errorResponse},
		},
	}
	s := newSchemas(files)
	var streams []string
	for _, file := range files {
		for i := range file.Services().Len() {
			left, err := d.addService(file.Services().Get(i), s)
			if err != nil {
				return nil, err
			}
			streams = append(streams, left...)
		}
		d.Info.Description = strings.TrimPrefix(d.Info.Description+packageComment(file), "\n")
	}
	d.Info.Description += about
	if len(streams) > 0 {
		d.Info.Description += "\n\nStreams are not part of this document: " + strings.Join(streams, ", ") + "."
	}
	d.addHealth(s)
	s.made["Error"] = errorSchema
	d.Components.Schemas = s.made
	return d, nil
}

// addService returns the streaming RPCs, which it leaves out.
func (d *document) addService(service protoreflect.ServiceDescriptor, s *schemas) (streams []string, err error) {
	d.Tags = append(d.Tags, tag{string(service.Name()), comment(service)})
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		if method.IsStreamingClient() || method.IsStreamingServer() {
			streams = append(streams, string(method.FullName()))
			continue
		}
		item, err := newPathItem(method, s)
		if err != nil {
			return nil, err
		}
		d.Paths["/"+string(service.FullName())+"/"+string(method.Name())] = item
	}
	return streams, nil
}

// packageComment is what stands before "package" in a file, empty in most.
func packageComment(file protoreflect.FileDescriptor) string {
	const packageField = 2 // of FileDescriptorProto
	return tidy(file.SourceLocations().ByPath(protoreflect.SourcePath{packageField}).LeadingComments)
}

func comment(d protoreflect.Descriptor) string {
	return tidy(d.ParentFile().SourceLocations().ByDescriptor(d).LeadingComments)
}

// tidy makes CommonMark of a comment: what is indented is code.
func tidy(comment string) string {
	lines := strings.Split(strings.TrimRight(comment, " \n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, " ")
		if strings.HasPrefix(lines[i], "  ") {
			lines[i] = "  " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}
