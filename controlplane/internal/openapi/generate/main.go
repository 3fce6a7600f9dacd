// Command generate is a plugin of protoc that writes openapi.json: what
// weir.admin.v1 says in its protos, comments and protovalidate rules included, as
// one OpenAPI 3.1 document. A kind or rule that it has no words for is an error,
// so that the document never says less than the protos.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

const admin protoreflect.FullName = "weir.admin.v1"

func main() {
	protogen.Options{}.Run(func(plugin *protogen.Plugin) error {
		plugin.SupportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL)
		var files []protoreflect.FileDescriptor
		for _, file := range plugin.Files {
			if file.Generate && file.Desc.Package() == admin {
				files = append(files, file.Desc)
			}
		}
		made, err := newDocument(files)
		if err != nil {
			return fmt.Errorf("openapi: %w", err)
		}
		text := new(bytes.Buffer)
		encoder := json.NewEncoder(text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(made); err != nil {
			return fmt.Errorf("openapi: %w", err)
		}
		_, err = plugin.NewGeneratedFile("openapi.json", "").Write(text.Bytes())
		return err
	})
}
