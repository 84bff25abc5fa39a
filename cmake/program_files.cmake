# What is installed beside the program: its man page and completions, made by the program itself.
set(VIGOR_PROGRAM_FILES ${PROJECT_BINARY_DIR}/program_files)
file(MAKE_DIRECTORY ${VIGOR_PROGRAM_FILES})
foreach(file_and_command "vigor.1;help;--man" "vigor.bash;completion;bash" "_vigor;completion;zsh")
  list(POP_FRONT file_and_command file)
  list(APPEND VIGOR_PROGRAM_FILE_LIST ${VIGOR_PROGRAM_FILES}/${file})
  add_custom_command(OUTPUT ${VIGOR_PROGRAM_FILES}/${file}
                     COMMAND vigor_cli ${file_and_command} > ${VIGOR_PROGRAM_FILES}/${file}
                     DEPENDS vigor_cli VERBATIM)
endforeach()
add_custom_target(program_files ALL DEPENDS ${VIGOR_PROGRAM_FILE_LIST})

# Component `program` is what the Debian package holds beside `debian`; the rest is for developers.
install(TARGETS vigor_cli COMPONENT program)
install(FILES ${VIGOR_PROGRAM_FILES}/vigor.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${VIGOR_PROGRAM_FILES}/vigor.bash RENAME vigor COMPONENT program
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES models/lenet5_fashion_mnist.onnx DESTINATION ${CMAKE_INSTALL_DATADIR}/vigor
        COMPONENT program)
install(FILES README.md CHANGELOG.md TYPE DOC COMPONENT program)
install(DIRECTORY docs TYPE DOC COMPONENT program PATTERN __pycache__ EXCLUDE)
# Debian's zsh looks elsewhere for what packages bring.
install(FILES ${VIGOR_PROGRAM_FILES}/_vigor DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
        COMPONENT local)
install(FILES ${VIGOR_PROGRAM_FILES}/_vigor COMPONENT debian EXCLUDE_FROM_ALL
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES LICENSE TYPE DOC COMPONENT local)
install(FILES LICENSE TYPE DOC RENAME copyright COMPONENT debian EXCLUDE_FROM_ALL)

# `cpack` in the build folder makes the Debian package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "vigor maintainers <maintainers@vigor.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL program debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "dataset-fashion-mnist, python3-h5py")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Finds, for every neuron of a trained network (ONNX), which deviations of its
output the network survives, and from these ranges the vulnerability of every
bit, neuron, layer and of the model under hardware faults.")
include(CPack)
