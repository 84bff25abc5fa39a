#include <vigor/shape.h>

#include <iostream>

int main() {
  const vigor::Shape shape{3, 32, 32};
  std::cout << vigor::to_string(shape) << " has " << vigor::element_count(shape) << " elements\n";
}
