# cmake -DBUILD=<vigor's build> -DWORK=<scratch folder> -P check.cmake
# Installs vigor below WORK, then builds and runs the consumer against that.
file(REMOVE_RECURSE "${WORK}")

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
run("${CMAKE_COMMAND}" -G Ninja -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build"
    "-DCMAKE_PREFIX_PATH=${WORK}/prefix")
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run("${WORK}/build/consumer")
run("${WORK}/prefix/bin/vigor" --version)
foreach(file bin/vigor share/man/man1/vigor.1 share/bash-completion/completions/vigor
             share/zsh/site-functions/_vigor share/vigor/lenet5_fashion_mnist.onnx
             share/doc/vigor/LICENSE share/doc/vigor/docs/results.md)
  if(NOT EXISTS "${WORK}/prefix/${file}")
    message(FATAL_ERROR "not installed: ${file}")
  endif()
endforeach()
