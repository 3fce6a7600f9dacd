package rpc

import (
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

var _ protodesc.Resolver = described{}

// described finds what reflection shows: all that is linked in, and health.
type described struct{}

func (described) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if file, err := healthFile(); err == nil && file.Path() == path {
		return file, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

func (described) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	file, err := healthFile()
	if err != nil || name.Parent() != file.Package() {
		return protoregistry.GlobalFiles.FindDescriptorByName(name)
	}
	if service := file.Services().ByName(name.Name()); service != nil {
		return service, nil
	}
	if message := file.Messages().ByName(name.Name()); message != nil {
		return message, nil
	}
	return nil, protoregistry.NotFound
}
