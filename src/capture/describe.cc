#include "capture/describe.h"

namespace glasspost::capture {

template FrameDescription DescribeFrame<FieldList>(const RawFrame&, FieldList&);

}  // namespace glasspost::capture
